"""Goes through all routes and events of the application in this process, which is patched already."""

import base64
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from chassis.extensions import socketio
from chassis.security import maintenance
from chassis.tests.security.attack.ceiling.discovery import discover, routes
from chassis.tests.security.attack.ceiling.events import POLL, events, messages, packets, payloads
from chassis.tests.security.attack.ceiling.limits import CPU_MS, HOLD_MS
from chassis.tests.security.attack.ceiling.process import Cost, cost, held, memory_mb
from chassis.tests.security.attack.ceiling.routes import tries
from chassis.tests.security.attack.ceiling.tries import Try
from chassis.tests.security.attack.ceiling.visitor import Visitor
from chassis.wiring import settings_of

REPEATS = 3  # of what costs much, as the machine has other things to do; a fifth wrong password is not looked at
FAR_OVER = 4  # times the ceiling: what is no noise, and is not waited for again
STRANGERS_BYTES = 65_000  # of a message: somebody in no namespace may not send more
SMALL_BYTES = 10_000  # a request that is smaller takes no memory, which is not looked at in the short run
VERBOSE = "CEILING_VERBOSE" in os.environ


@dataclass
class Worst:
    """The worst of a row: milliseconds and MB, each with its input; how often a password was hashed by one try."""

    ms: float = 0.0
    input: str = ""
    mb: float = 0.0
    mb_input: str = ""
    hashes: int = 0
    tries: int = 0
    broken: str = ""  # what was answered with 500
    wire: str = field(default="", repr=False)  # the request of `ms` in base64, so that it can be sent to a server


class Sweep:
    """Measures what one visitor can make the application do."""

    def __init__(self, visitor: Visitor, only: str = "") -> None:
        self._visitor, self._only = visitor, re.compile(only)
        self._worst: dict[str, Worst] = {}

    def run(self) -> dict[str, Worst]:
        """Return the worst of each row."""
        for route in routes(self._visitor):
            for one in tries(route, self._visitor.attacker()) if self._only.search(route.row) else ():
                self._measure(one, lambda one=one: lambda: self._visitor.ask(one))  # type: ignore[misc]
        self._sockets()
        return self._worst

    def _measure(self, one: Try, ready: Callable[[], Callable[[], object]]) -> None:
        """Measure work that is made ready again for each repetition; memory is promised for strangers alone."""
        measure, limit = (held, HOLD_MS) if self._visitor.key else (cost, CPU_MS)
        found = [measure(ready())]
        while len(found) <= REPEATS and limit / 2 < self._ms(found[-1]) < FAR_OVER * limit:
            found.append(measure(ready()))
        small = (self._visitor.few and len(one.body or b"") < SMALL_BYTES) or self._ms(found[-1]) > FAR_OVER * limit
        self._keep(one, found, 0.0 if small or self._visitor.key else memory_mb(ready()))
        with self._visitor.app.app_context():
            if maintenance.reason() is not None:
                maintenance.turn_off()

    def _ms(self, found: Cost) -> float:
        """Return what is judged: of a stranger all that it costs, of others for how long nobody else had a turn."""
        return found.hold_ms if self._visitor.key else found.cpu_ms

    def _keep(self, one: Try, found: list[Cost], mb: float) -> None:
        kept, ms = self._worst.setdefault(one.row, Worst()), min(map(self._ms, found))
        if VERBOSE:
            print(f"{ms:8.1f} ms {mb:6.1f} MB {found[0].hashes} {one.row}: {one.name}", flush=True)
        kept.tries += 1
        kept.broken = self._visitor.broken.get(one.row, "")
        if ms >= kept.ms:
            wire = "" if self._visitor.key else base64.b64encode(one.wire).decode()
            kept.ms, kept.input, kept.wire = round(ms, 1), one.name, wire
        if mb >= kept.mb:
            kept.mb, kept.mb_input = round(mb, 1), one.name
        kept.hashes = max(kept.hashes, *(each.hashes for each in found))

    def _sockets(self) -> None:
        few = self._visitor.few
        most = settings_of(self._visitor.app).socket_max_message_bytes - 200
        for size in (most if self._visitor.key else STRANGERS_BYTES,) if few else (STRANGERS_BYTES, most):
            for name, packet in packets(size, few=few):
                self._packet("socket packet", f"{name}, {size // 1000} kB", packet)
        for name, payload in payloads(most):
            self._packet("socket payload", name, payload)
        for event, fields in events(socketio.server).items() if self._visitor.key else ():
            for name, packet in messages(event, fields, most, few=few):
                self._packet(f"socket event {event}", name, packet, join=True)

    def _packet(self, row: str, name: str, packet: bytes, *, join: bool = False) -> None:
        """Measure a packet by itself; the packet behind it is answered, which says that it was handled."""
        if not self._only.search(row):
            return
        one = self._poll(row, name, b"", packet + (b'\x1e427["a"]' if join else b"\x1e40"))

        def ready() -> Callable[[], object]:
            place = self._session(row, join=join)
            return lambda: self._sent(self._poll(row, name, place, one.body), self._poll(row, name, place))

        self._measure(one, ready)

    def _sent(self, packet: Try, poll: Try) -> None:
        if self._visitor.ask(packet)[0] == 200:
            self._visitor.ask(poll)

    def _session(self, row: str, *, join: bool) -> bytes:
        opened = self._visitor.ask(self._poll(row, "", b""))[2]
        place: bytes = b"&sid=" + json.loads(opened[1:])["sid"].encode()
        if join:
            self._visitor.ask(self._poll(row, "", place, b"40"))
            self._visitor.ask(self._poll(row, "", place))
        return place

    def _poll(self, row: str, name: str, place: bytes, body: bytes | None = None) -> Try:
        return Try(row, name, "GET" if body is None else "POST", POLL + place, self._visitor.headers, body)


def described(worst: dict[str, Worst], who: str) -> list[dict[str, Any]]:
    """Return the rows as JSON has them."""
    return [{"who": who, "row": row, **vars(found)} for row, found in worst.items()]


def swept(app: Flask, visitors: dict[str, Visitor], only: str) -> list[dict[str, Any]]:
    """Return the rows of all visitors, once all have found out what is asked of them."""
    for visitor in visitors.values():
        discover(visitor)
        visitor.asked.row = ""
    for visitor in visitors.values():
        visitor.asked.listening = False
    return [row for who, visitor in visitors.items() for row in described(Sweep(visitor, only).run(), who)]

"""Missed-event recovery: events sent to a room are numbered and kept, and clients that reconnect receive the rest.

The workers of one machine share an epoch and one sequence of numbers, so a client may come back to any of them.
Otherwise each process numbers what it sends to its own clients, under an epoch that it generates at its start. A client
that reconnects to another machine, or after a restart, presents an unknown epoch and is told to fetch the state.
"""

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from chassis.base.environment import workers_folder
from chassis.extensions import socketio
from chassis.realtime import access, contracts
from chassis.realtime.event_log import Entry, EventLog, SharedEventLog
from chassis.server.several.speaker import Speaker
from chassis.settings import Settings

__all__ = ["Position", "Resumable", "join"]

MAX_VERSIONS = 10_000  # rooms and events whose last version is remembered
Carry = Callable[[str, str, dict[str, Any], int | None], None]
Observer = Callable[[str, dict[str, Any]], None]


class Position(BaseModel):
    """The last event of a room that a client has seen."""

    epoch: str = Field(max_length=64)
    seq: int = Field(ge=0)


class Resumable(BaseModel):
    """A message that joins a room; `after` is the last position that a client saw, when it comes back."""

    after: Position | None = None


class Streams:
    """The numbered rooms of this process.

    One lock makes numbering, storing and sending atomic, as well as joining and replaying: a client receives each event
    either in its replay or live, and all in numerical order. Nothing under the lock waits for a client.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._speaker = Speaker()
        self._carry: Carry | None = None
        self._catch_up: Callable[[], None] = lambda: None
        self._observers: dict[str, Observer] = {}
        self._told_joining: dict[str, Callable[[str], Any]] = {}
        self.hand_on = self._speaker.hand_on

    def share(self, carry: Carry, catch_up: Callable[[], None]) -> None:
        """Number events together with other workers from now on; called before `configure`.

        `carry` sends an event to all workers, this one included; `catch_up` returns once all sent ones are delivered.
        """
        self._carry, self._catch_up = carry, catch_up

    def speaks(self) -> bool:
        """Return whether this process tells clients what all workers that share numbers can read in the database."""
        return self._carry is None or self._speaker.speaks()

    def observe(self, event: str, observer: Observer) -> None:
        """Call `observer(room, data)` for each event with this name that is delivered in this process."""
        self._observers[event] = observer

    def tell_joining(self, name: str, source: Callable[[str], Any]) -> None:
        """Add `source(room)` under that name to the answer of a client that did not recover, unless it is empty."""
        self._told_joining[name] = source

    def configure(self, settings: Settings) -> None:
        """Start with an empty log and a unique epoch."""
        limits = {"max_events": settings.event_log_max_events, "max_bytes": settings.event_log_max_bytes}
        kind = SharedEventLog if self._carry else EventLog
        self._log = kind(**limits, seconds=settings.event_log_seconds)
        self._epoch = Path(workers_folder()).name if self._carry else secrets.token_hex(8)
        self._versions: OrderedDict[tuple[str, str], int] = OrderedDict()
        # A replay that fills the send buffer would close the connection, and the client would reconnect and ask again.
        self._max_replay_bytes = settings.socket_send_buffer_bytes // 4 or settings.event_log_max_bytes
        self._max_replay_events = settings.socket_send_buffer_messages // 4 or settings.event_log_max_events

    def deliver(self, room: str, event: str, data: dict[str, Any], version: int | None = None) -> None:
        """Send an event to the clients in a room, with its number in the field `stream`.

        It reaches the clients of this process, or of all workers that share numbers. If these can all read the event in
        the database, `version` is a number that grows with each change, and each version is sent once.
        """
        contracts.check(event, data)
        if self._carry is None:
            self.take(room, event, data)
            return
        self._catch_up()
        if version is None or version > self._versions.get((room, event), -1):
            self._carry(room, event, data, version)

    def take(
        self, room: str, event: str, data: dict[str, Any], number: int | None = None, version: int | None = None
    ) -> None:
        """Send an event to this process's clients; `number` is its number if several workers share them."""
        text = json.dumps(data)
        with self._lock:
            if version is not None and not self._is_news(room, event, version):
                return
            if number is not None and isinstance(self._log, SharedEventLog):
                entry = self._log.put(room, event, text, number)
            else:
                entry = self._log.append(room, event, text)
            if observer := self._observers.get(event):
                observer(room, data)
            socketio.emit(event, {**data, "stream": self._place(room, entry)}, to=room, ignore_queue=True)

    def forget_before(self, number: int) -> None:
        """Record that this process has missed events up to a number."""
        with self._lock:
            if isinstance(self._log, SharedEventLog):
                self._log.forget_before(number)

    def renew(self, rooms: list[str]) -> None:
        """Begin a new epoch, since events were missed: clients that are here or come back fetch the state.

        The clients in `rooms` are told by the event `room:missed`, which has a number but no data.
        """
        with self._lock:
            self._log.renew()
            self._epoch = secrets.token_hex(8)
        for room in rooms:
            if isinstance(room, str):
                self.take(room, "room:missed", {})

    def _is_news(self, room: str, event: str, version: int) -> bool:
        if version <= self._versions.get((room, event), -1):
            return False
        self._versions[room, event] = version
        self._versions.move_to_end((room, event))
        if len(self._versions) > MAX_VERSIONS:
            self._versions.popitem(last=False)
        return True

    def join(self, room: str, after: Position | None = None) -> dict[str, Any]:
        """Let the client of this event into a room, send it the events it missed, and return its position.

        The answer is `{room, epoch, seq, recovered}`. Raises AppError when a check refuses the join, and RuntimeError
        outside of the default namespace.
        """
        sid, namespace = request.sid, request.namespace  # type: ignore[attr-defined]
        if namespace != "/":
            raise RuntimeError("Events are published in the default namespace: join their rooms there.")
        access.check(room)
        self._catch_up()
        with self._lock:
            access.enter(room)
            missed = self._missed(room, after)
            for entry in missed or ():
                data = {**json.loads(entry.text), "stream": self._place(room, entry)}
                socketio.emit(entry.event, data, to=sid, ignore_queue=True)
            place = self._stream(room, self._log.position(room)) | {"recovered": missed is not None}
            return place | (self._state(room) if missed is None else {})

    def _state(self, room: str) -> dict[str, Any]:
        """Return what a client that starts here must know beside the state that it fetches."""
        return {name: found for name, source in self._told_joining.items() if (found := source(room))}

    def _missed(self, room: str, after: Position | None) -> list[Entry] | None:
        """Return the events after a position, or None when they are not all known or too many."""
        if after is None or after.epoch != self._epoch:
            return None
        missed = self._log.since(room, after.seq)
        if missed is None or len(missed) > self._max_replay_events:
            return None
        return missed if sum(len(entry.text) for entry in missed) <= self._max_replay_bytes else None

    def _place(self, room: str, entry: Entry) -> dict[str, Any]:
        return self._stream(room, entry.seq) | {"after": entry.after}

    def _stream(self, room: str, seq: int) -> dict[str, Any]:
        return {"room": room, "epoch": self._epoch, "seq": seq}


streams = Streams()
configure, deliver, join = streams.configure, streams.deliver, streams.join
observe, speaks, hand_on = streams.observe, streams.speaks, streams.hand_on

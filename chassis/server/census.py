"""Counts sessions by address, and separately the sessions that have joined no namespace."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from chassis.base.concurrency import original
from chassis.server.caps import Caps

TOO_MANY, TOO_MANY_OF_ADDRESS = "too_many_connections", "too_many_connections_of_address"
TOO_MANY_UNJOINED = "too_many_unjoined_of_address"
ALL = ""  # the name of the total


class Shared(Protocol):
    """Numbers that several workers report: the present and the unjoined sessions of an address, and of all."""

    def totals(self, name: str) -> Sequence[int]:
        """Return the numbers of all workers for a name, added up."""

    def put(self, name: str, *numbers: int) -> None:
        """Report this worker's numbers for a name."""


class Census:
    """Keeps the sessions of a process, or of all workers that share their numbers, within the limits.

    A session that has joined no namespace has not authenticated. An address can have few of them, each lives for
    `handshake_seconds`, and when there is no room the oldest one of this process is closed for a new session; a worker
    without one lets the session in, and another worker closes one of its own at its next `give_room`.
    `unjoined` is called with each session whose handshake time begins, `make_room` with the session to close.

    Workers that admit sessions at the same instant may together exceed a limit by one session each.
    """

    def __init__(self, limits: Caps, unjoined: Callable[[str], None], make_room: Callable[[str], None]) -> None:
        self._limits, self._begin_time, self._make_room = limits, unjoined, make_room
        self._lock = original("threading", "Lock")()  # no code inside it yields, so a real lock is safe
        self._address_of: dict[str, str | None] = {}  # None if the address is not counted
        self._namespaces: dict[str, int] = {}
        self._unjoined: dict[str, float] = {}  # time at which each became unjoined, oldest first
        self._present: Counter[str | None] = Counter()
        self._waiting: Counter[str | None] = Counter()
        self._shared: Shared | None = None

    def share(self, numbers: Shared) -> None:
        """Count together with the other workers from now on; called before there are sessions."""
        self._shared = numbers

    def refusal(self, environ: dict[str, Any]) -> str:
        """Return why a request gets no session, or ""; closes the oldest unjoined session if that makes room."""
        limits, counted = self._limits, self._limits.counted_as(environ)
        present, waiting = (0, 0) if counted is None else self._numbers(counted)
        if 0 < limits.connections_per_address <= present:
            return TOO_MANY_OF_ADDRESS
        if 0 < limits.unjoined_per_address <= waiting:
            return TOO_MANY_UNJOINED
        everybody, strangers = self._numbers(ALL)
        if not 0 < limits.connections <= everybody:
            return ""
        if oldest := self._oldest():
            self._make_room(oldest)
            return ""
        return "" if everybody - strangers < limits.connections else TOO_MANY  # another worker gives its room

    def give_room(self) -> None:
        """Close the oldest unjoined sessions here while all workers together have too many sessions."""
        limit = self._limits.connections
        while 0 < limit < self._numbers(ALL)[0] and (oldest := self._oldest()):
            self._make_room(oldest)

    def enter(self, sid: str, environ: dict[str, Any]) -> None:
        """Count the new session that a request has begun."""
        counted = self._limits.counted_as(environ)
        with self._lock:
            self._address_of[sid] = counted
            self._present[counted] += 1
            self._wait(sid, counted)
            self._report(counted)
        self._begin_time(sid)

    def joined(self, sid: str) -> None:
        """Record that a session has joined a namespace; sessions that have ended are ignored."""
        with self._lock:
            if sid in self._address_of:
                self._namespaces[sid] = self._namespaces.get(sid, 0) + 1
                self._wait_no_more(sid)
                self._report(self._address_of[sid])

    def left(self, sid: str) -> None:
        """Record that a session has left a namespace; after the last one its handshake time begins again."""
        with self._lock:
            number = self._namespaces.pop(sid, 0) - 1
            if number > 0:
                self._namespaces[sid] = number
            elif number == 0:
                self._wait(sid, self._address_of[sid])
                self._report(self._address_of[sid])
        if number == 0:
            self._begin_time(sid)

    def gone(self, sid: str) -> None:
        """Forget a session that has ended."""
        with self._lock:
            self._wait_no_more(sid)
            self._namespaces.pop(sid, None)
            if sid in self._address_of:
                counted = self._address_of.pop(sid)
                _take_one(self._present, counted)
                self._report(counted)

    def has_joined(self, sid: str) -> bool:
        """Return whether a session is in a namespace."""
        return sid in self._namespaces

    def overdue(self, sid: str) -> bool:
        """Return whether a session has been without a namespace for longer than `handshake_seconds`."""
        since = self._unjoined.get(sid)
        return since is not None and time.monotonic() >= since + self._limits.handshake_seconds

    def all_overdue(self) -> list[str]:
        """Return all overdue sessions."""
        with self._lock:
            waiting = list(self._unjoined)
        return [sid for sid in waiting if self._limits.handshake_seconds and self.overdue(sid)]

    def __len__(self) -> int:
        return len(self._address_of)

    def _numbers(self, name: str) -> Sequence[int]:
        """Return the present and the unjoined sessions of an address, or of all; those of all workers if they share."""
        here = self._here(name)
        return (
            here if self._shared is None else [max(pair) for pair in zip(here, self._shared.totals(name), strict=True)]
        )

    def _here(self, name: str) -> tuple[int, int]:
        if name == ALL:
            return len(self._address_of), len(self._unjoined)
        return self._present[name], self._waiting[name]

    def _report(self, counted: str | None) -> None:
        if self._shared is not None:
            for name in (ALL,) if counted is None else (counted, ALL):
                self._shared.put(name, *self._here(name))

    def _oldest(self) -> str:
        with self._lock:
            return next(iter(self._unjoined), "")

    def _wait(self, sid: str, address: str | None) -> None:
        self._unjoined[sid] = time.monotonic()
        self._waiting[address] += 1

    def _wait_no_more(self, sid: str) -> None:
        if self._unjoined.pop(sid, None) is not None:
            _take_one(self._waiting, self._address_of[sid])


def _take_one(numbers: Counter[str | None], name: str | None) -> None:
    numbers[name] -= 1
    if numbers[name] <= 0:
        del numbers[name]

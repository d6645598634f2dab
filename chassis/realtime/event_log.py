"""The events recently published in this process by room, limited in number, bytes and age."""

import time
from collections import OrderedDict, deque
from itertools import islice
from typing import NamedTuple

MAX_ROOMS = 50_000  # how many rooms' last numbers are remembered; 200 bytes each


class Entry(NamedTuple):
    """One published event; its data is stored as JSON, since the publisher may change the object later."""

    seq: int
    at: float
    event: str
    text: str


class EventLog:
    """Numbers the events of each room from 1; not thread-safe, its owner holds a lock.

    A forgotten room continues above every forgotten number, so that no number of a room is used twice.
    """

    def __init__(self, *, max_events: int, max_bytes: int, seconds: float) -> None:
        self._max_events, self._max_bytes, self._seconds = max_events, max_bytes, seconds
        self._numbers: OrderedDict[str, int] = OrderedDict()  # both: least recently used room first
        self._kept: OrderedDict[str, deque[Entry]] = OrderedDict()
        self._bytes = self._floor = 0

    def append(self, room: str, event: str, text: str) -> int:
        """Store an event and return its number."""
        now, seq = time.monotonic(), self.position(room) + 1
        self._numbers[room] = seq
        self._kept.setdefault(room, deque()).append(Entry(seq, now, event, text))
        self._bytes += len(text)
        for rooms in (self._numbers, self._kept):
            rooms.move_to_end(room)
        self._trim(room, now)
        self._forget(now)
        return seq

    def position(self, room: str) -> int:
        """Return the number of the room's last event."""
        return self._numbers.get(room, self._floor)

    def since(self, room: str, seq: int) -> list[Entry] | None:
        """Return the events after a number, oldest first, or None when some of them are no longer known."""
        self._trim(room, time.monotonic())
        kept, last = self._kept.get(room, ()), self.position(room)
        first = last - len(kept)
        return list(islice(kept, seq - first, None)) if first <= seq <= last else None

    def _trim(self, room: str, now: float) -> None:
        """Remove a room's events that are too old or too many."""
        kept = self._kept.get(room, ())
        while kept and (len(kept) > self._max_events or kept[0].at < now - self._seconds):
            self._drop_first(room)

    def _forget(self, now: float) -> None:
        """Remove events that are too old or too many in total, from the least recently used room."""
        while self._kept:
            room, kept = next(iter(self._kept.items()))
            if self._bytes <= self._max_bytes and kept[0].at >= now - self._seconds:
                break
            self._drop_first(room)
        while len(self._numbers) > MAX_ROOMS:
            room, seq = self._numbers.popitem(last=False)
            self._floor = max(self._floor, seq)
            while room in self._kept:
                self._drop_first(room)

    def _drop_first(self, room: str) -> None:
        kept = self._kept[room]
        self._bytes -= len(kept.popleft().text)
        if not kept:
            del self._kept[room]

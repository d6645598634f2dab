"""The events recently published in this process by room, limited in number, bytes and age."""

import time
from collections import OrderedDict, deque
from itertools import islice
from typing import Any, NamedTuple

MAX_ROOMS = 50_000  # how many rooms' last numbers are remembered; 200 bytes each


class Entry(NamedTuple):
    """One published event; its data is stored as JSON, since the publisher may change the object later.

    `after` is the number of the room's event before it.
    """

    seq: int
    after: int
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

    def append(self, room: str, event: str, text: str) -> Entry:
        """Store an event under the next number."""
        return self._store(room, self.position(room) + 1, event, text)

    def _store(self, room: str, seq: int, event: str, text: str) -> Entry:
        now = time.monotonic()
        entry = Entry(seq, self._last_of(room), now, event, text)
        self._numbers[room] = seq
        self._kept.setdefault(room, deque()).append(entry)
        self._bytes += len(text)
        for rooms in (self._numbers, self._kept):
            rooms.move_to_end(room)
        self._trim(room, now)
        self._forget(now)
        return entry

    def position(self, room: str) -> int:
        """Return the number of the room's last event."""
        return self._last_of(room)

    def _last_of(self, room: str) -> int:
        return self._numbers.get(room, self._floor)

    def since(self, room: str, seq: int) -> list[Entry] | None:
        """Return the events after a number, oldest first, or None when some of them are no longer known."""
        self._trim(room, time.monotonic())
        kept, last = self._kept.get(room, ()), self.position(room)
        first = last - len(kept)
        return list(islice(kept, seq - first, None)) if first <= seq <= last else None

    def renew(self) -> None:
        """Forget all events, and leave out a number in every room, so that clients notice."""
        self._floor = max(self._floor, *self._numbers.values(), 0) + 1
        self._numbers.clear()
        self._kept.clear()
        self._bytes = 0

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

    def _drop_first(self, room: str) -> Entry:
        kept = self._kept[room]
        entry = kept.popleft()
        self._bytes -= len(entry.text)
        if not kept:
            del self._kept[room]
        return entry


class SharedEventLog(EventLog):
    """The events of several workers: numbers grow over all rooms, so those of one room have gaps."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self._last = 0
        self._dropped: OrderedDict[str, int] = OrderedDict()  # the last number that each room has lost

    def put(self, room: str, event: str, text: str, seq: int) -> Entry:
        """Store an event under its number, which is higher than all before."""
        self._last = seq
        return self._store(room, seq, event, text)

    def position(self, room: str) -> int:
        """Return the number of the last event of any room."""
        return self._last

    def since(self, room: str, seq: int) -> list[Entry] | None:
        """Return the events after a number, oldest first, or None when some of them are no longer known."""
        self._trim(room, time.monotonic())
        if not max(self._floor, self._dropped.get(room, 0)) <= seq <= self._last:
            return None
        return [entry for entry in self._kept.get(room, ()) if entry.seq > seq]

    def forget_before(self, seq: int) -> None:
        """Record that events up to a number were missed, in whichever room; the next one of each shows the gap."""
        self._numbers.clear()
        self._floor, self._last = max(self._floor, seq), max(self._last, seq)

    def _drop_first(self, room: str) -> Entry:
        entry = super()._drop_first(room)
        self._dropped[room] = entry.seq
        self._dropped.move_to_end(room)
        while len(self._dropped) > MAX_ROOMS:
            self._floor = max(self._floor, self._dropped.popitem(last=False)[1])
        return entry

"""The recent messages of this node, numbered in one order; those that were not sent yet, or are asked for again."""

import json
import time
from collections import deque
from typing import Any, NamedTuple

from chassis.base.concurrency import original

MAX_BYTES = 16 * 1024 * 1024
KEPT_SECONDS = 300.0
AT_ONCE, AT_ONCE_BYTES = 200, 1_000_000


class Kept(NamedTuple):
    """A message as it is sent, with its number and its time by the monotonic clock."""

    place: int
    at: float
    text: str


class Journal:
    """Keeps messages up to MAX_BYTES and KEPT_SECONDS; safe to use from any thread."""

    def __init__(self, origin: str) -> None:
        self._origin, self._kept = origin, deque[Kept]()
        self._lock = original("threading", "Lock")()  # nothing inside it yields
        self._bytes, self._next = 0, 1
        self.last = 0

    def append(self, message: dict[str, Any]) -> None:
        """Store a message behind all others; raise TypeError or ValueError if it is no JSON."""
        text = json.dumps(message)[:-1]
        with self._lock:
            self.last += 1
            kept = Kept(self.last, time.monotonic(), f'{text}, "place": {self.last}, "origin": "{self._origin}"}}')
            self._kept.append(kept)
            self._bytes += len(kept.text)
            while self._bytes > MAX_BYTES or self._kept[0].at < kept.at - KEPT_SECONDS:
                self._bytes -= len(self._kept.popleft().text)

    def take(self) -> list[Kept]:
        """Return the next messages to send, at most some hundred; they count as sent."""
        with self._lock:
            taken, size = list[Kept](), 0
            first = max(0, self._next - self.forgotten - 1)
            for index in range(first, min(first + AT_ONCE, len(self._kept))):
                taken.append(self._kept[index])
                size += len(taken[-1].text)
                if size > AT_ONCE_BYTES:
                    break
            if taken:
                self._next = taken[-1].place + 1
            return taken

    def again_after(self, place: int) -> None:
        """Send what follows a number, again or for the first time."""
        with self._lock:
            self._next = min(self._next, max(place, self.forgotten) + 1)

    @property
    def waits(self) -> bool:
        """Return whether there are messages to send."""
        return self._next <= self.last

    @property
    def forgotten(self) -> int:
        """Return the number of the last message that is no longer kept."""
        return self._kept[0].place - 1 if self._kept else self.last

    def before(self, seconds: float) -> int:
        """Return the number of the last message that is older than this, or no longer kept."""
        with self._lock:
            since = time.monotonic() - seconds
            return next((kept.place - 1 for kept in self._kept if kept.at >= since), self.last)

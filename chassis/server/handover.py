"""Decides when a stopping worker closes its listener: after a delay, and once its successor serves."""

import mmap
import struct
import time

AGE = struct.Struct("Q")  # gunicorn numbers the workers that it starts, and calls the number their age
STARTED, READY = 0, AGE.size
_newest = mmap.mmap(-1, 2 * AGE.size)  # anonymous, so that the master and all its workers share it


class Handover:
    """One worker's position in the sequence of workers; created in the master, before the fork."""

    def __init__(self, age: int, delay_seconds: float, limit_seconds: float) -> None:
        self._age, self._delay, self._limit = age, delay_seconds, limit_seconds
        self._began = 0.0
        self._ready_then = 0
        _raise_to(STARTED, age)

    def ready(self) -> None:
        """Tell the older workers that this one serves."""
        _raise_to(READY, self._age)

    def begin(self) -> None:
        """Begin the delay; only the first call counts."""
        if not self._began:
            self._began, self._ready_then = time.monotonic(), _read(READY)

    @property
    def replaced(self) -> bool:
        """Whether a successor is starting or serving, so that the service continues; used once this worker stops."""
        self.begin()
        return _read(STARTED) > max(self._age, self._ready_then)

    def done(self) -> bool:
        """Return whether the listener can close: no successor is starting, one serves, or the time limit is over."""
        waited = time.monotonic() - self._began
        if waited < self._delay:
            return False
        return not self.replaced or _read(READY) > self._ready_then or waited > self._delay + self._limit


def _read(place: int) -> int:
    return int(AGE.unpack_from(_newest, place)[0])


def _raise_to(place: int, age: int) -> None:
    AGE.pack_into(_newest, place, max(age, _read(place)))

"""Memory that the workers of one machine share, with a lock for each of its places."""

import contextlib
import fcntl
import mmap
import os
import tempfile
import time
from collections.abc import Iterator

from chassis.base.concurrency import original

WAIT_SECONDS = 0.25  # the longest that a caller waits for a lock
# A lock is held for microseconds, unless its holder is not running. On a busy machine the caller itself may not be
# running for longer than it waits, so that it also has a least number of tries.
YIELDS, LEAST_TRIES, NAP_SECONDS = 50, 60, 0.0002


def reserve(size: int) -> int:
    """Return the descriptor of a new file without a name, whose memory goes when the last process closes it."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("limits")
    else:
        with tempfile.TemporaryFile() as made:
            file = os.dup(made.fileno())
    os.ftruncate(file, size)
    return file


class Zone:
    """One worker's view of the memory.

    A lock is a byte of the file, which the system unlocks when the process that holds it dies. Such locks belong to
    processes, so threads of one process also take a lock of their own. Nothing that runs under a lock may yield.
    """

    def __init__(self, file: int, size: int) -> None:
        self._file = file
        self.memory = mmap.mmap(file, size)
        self._mine = original("threading", "Lock")()
        self._nap = original("time", "sleep")

    @contextlib.contextmanager
    def locked(self, place: int) -> Iterator[None]:
        """Hold the lock of a place; raise TimeoutError if its holder seems to be stopped."""
        with self._mine:
            self._lock(place)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _lock(self, place: int) -> None:
        tries, until = 0, time.monotonic() + WAIT_SECONDS
        while not self._try(place):
            tries += 1
            if tries > LEAST_TRIES and time.monotonic() > until:
                raise TimeoutError("another worker holds a lock of the shared limits")
            self._nap(NAP_SECONDS if tries > YIELDS else 0)

    def _try(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        return True

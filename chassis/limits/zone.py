"""Memory that the workers of one machine share, with a lock for each of its places."""

import contextlib
import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator

from chassis.base import held
from chassis.base.concurrency import original


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

    @contextlib.contextmanager
    def locked(self, place: int) -> Iterator[None]:
        """Hold the lock of a place; raise TimeoutError if its holder seems to be stopped."""
        with self._mine:
            held.wait(lambda: self._take(place), "a lock of the shared limits")
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _take(self, place: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        return True

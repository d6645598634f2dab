"""One worker at a time speaks for all: it tells clients what every worker can read in the database."""

import contextlib
import fcntl
import os
from pathlib import Path

from chassis.base.environment import workers_folder


class Speaker:
    """A lock that the system releases if its holder dies."""

    def __init__(self) -> None:
        self._file, self._holds = -1, False

    def speaks(self) -> bool:
        """Return whether this worker speaks; the first one that asks does, until it ends."""
        if self._holds:
            return True
        if self._file < 0:
            self._file = os.open(Path(workers_folder(), "speaker"), os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._holds = True
        return self._holds

    def hand_on(self) -> None:
        """Let another worker speak, since this one stops."""
        if self._holds:
            fcntl.flock(self._file, fcntl.LOCK_UN)

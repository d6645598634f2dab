"""The workers of the service and their numbers of sessions, in memory that all of them share."""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import NamedTuple

from chassis.base.environment import worker_number, workers_folder

ROW = struct.Struct("QQQd")
ROWS = 256  # a worker's row is its number modulo this
SLACK, SLACK_SHARE = 2, 16  # how many more sessions a worker may have than another: 2 and a sixteenth
PRESENT_SECONDS = 1.0  # a worker reports ten times a second


class Row(NamedTuple):
    """A worker: its number, its pid, its open sessions, and when it reported last, on the monotonic clock."""

    number: int
    pid: int
    sessions: int
    at: float


class Roster:
    """The rows of all workers; each worker writes its own."""

    def __init__(self, number: int) -> None:
        self._number, self._pid = number, os.getpid()
        file = os.open(Path(workers_folder(), "roster"), os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, ROW.size * ROWS)
        self._rows = mmap.mmap(file, ROW.size * ROWS)
        os.close(file)

    @staticmethod
    def of_service() -> "list[Row]":
        """Return the workers that serve; empty with a single one and in other processes."""
        return Roster(worker_number()).present() if workers_folder() else []

    def report(self, sessions: int, *, serves: bool) -> None:
        """Write this worker's row; one that does not serve gets no new sessions."""
        self._write(Row(self._number, self._pid, sessions, time.monotonic() if serves else 0.0))

    def present(self) -> list[Row]:
        """Return the workers that serve, in the order of their numbers."""
        since = time.monotonic() - PRESENT_SECONDS
        return sorted(Row._make(row) for row in ROW.iter_unpack(self._rows) if row[3] >= since)

    def choose(self) -> int:
        """Return the worker that a new session goes to, or 0 if none serves.

        It is this one, unless it has clearly more sessions than the one with the fewest.
        """
        rows = self.present()
        chosen = min(rows, key=lambda row: row.sessions, default=None)
        if chosen is None:
            return 0
        most = chosen.sessions + SLACK + chosen.sessions // SLACK_SHARE
        chosen = next((row for row in rows if row.number == self._number and row.sessions < most), chosen)
        self._write(chosen._replace(sessions=chosen.sessions + 1))  # until it reports its own number
        return chosen.number

    def _write(self, row: Row) -> None:
        ROW.pack_into(self._rows, row.number % ROWS * ROW.size, *row)

"""Receives the bytes of a PostgreSQL dump and hashes them."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from chassis.db.backup.model import BackupError
from chassis.db.snapshot.progress import Progress

MAGIC = b"PGDMP"


class Sink:
    """Writes the bytes of a dump to a file, or only checks them if the dump is a local file."""

    def __init__(self, file: BinaryIO | None, shown: str, free_bytes: Callable[[], int], progress: Progress) -> None:
        self._file, self._shown, self._free_bytes, self._progress = file, shown, free_bytes, progress

    def start(self, total: int | None) -> None:
        """Start over with a file of `total` bytes, if known."""
        self._hash, self._head, self._received, self._total = hashlib.sha256(), b"", 0, total
        self._progress.restart()
        if self._file:
            self._file.seek(0)
            self._file.truncate()
            if (total or 0) > (free := self._free_bytes()):
                raise BackupError(f"{self._shown} needs {(total or 0) / 1e6:.1f} MB, {free / 1e6:.1f} MB are left.")

    def write(self, chunk: bytes) -> None:
        """Write the next bytes."""
        self._hash.update(chunk)
        self._head = (self._head + chunk[: len(MAGIC)])[: len(MAGIC)]
        self._received += len(chunk)
        if self._file:
            self._file.write(chunk)
            self._progress(self._received, self._total)

    def finish(self, expected: str) -> str:
        """Return the SHA-256; raise if it is not the expected one (which can be empty) or if this is not a dump."""
        found = self._hash.hexdigest()
        if self._head != MAGIC:
            raise BackupError(f"{self._shown} is not a PostgreSQL dump, but DATABASE_URL names PostgreSQL.")
        if expected and found != expected:
            why = f"has the SHA-256 {found}, expected {expected}"
            raise BackupError(f"{self._shown} {why}: take another backup.")
        return found

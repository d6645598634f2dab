"""Writes a snapshot to a temporary file: hashed as received, unpacked, and limited in size."""

import hashlib
import os
from collections.abc import Callable
from typing import BinaryIO

from chassis.db.snapshot.progress import Progress
from chassis.db.snapshot.unpack import FORMATS, Gzip, Zstd
from chassis.errors import BootError

SQLITE_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html


class Staging:
    """The sink of a download; `finish` checks that the data is complete and as expected."""

    def __init__(
        self, *, file: BinaryIO, shown: str, max_bytes: int, free_bytes: Callable[[], int], progress: Progress
    ) -> None:
        self._file, self._shown, self._max_bytes = file, shown, max_bytes
        self._free_bytes, self._progress = free_bytes, progress
        self.start(None)

    def start(self, total: int | None) -> None:
        """Start over with a file of `total` bytes, if known."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self._received = self._written = 0
        self._head, self._recognised = b"", False
        self._packed: Gzip | Zstd | None = None
        self._total = total
        self._progress.restart()
        self._limit(total or 0)

    def write(self, chunk: bytes) -> None:
        """Write the next bytes; raise BootError as soon as they cannot be a database."""
        self._hash.update(chunk)
        self._received += len(chunk)
        self._limit(self._received)
        if not self._recognised:
            chunk = self._head = self._head + chunk
            if len(chunk) < len(SQLITE_MAGIC):
                return
            self._recognise(chunk)
        if self._packed:
            self._unpack(self._packed, chunk)
        else:
            self._store(chunk)
        self._progress(self._received, self._total)

    def finish(self, expected: str) -> str:
        """Check the whole file, sync it to the disk and return its SHA-256; `expected` can be empty."""
        found = self._hash.hexdigest()
        if not self._recognised:
            self._refuse_unknown(self._head)
        if expected and found != expected:
            raise BootError(
                f"The snapshot at {self._shown} has the SHA-256 {found}, expected {expected}: "
                "upload it again, or correct DATABASE_SNAPSHOT_SHA256 or the .sha256 file beside it."
            )
        if self._packed and not self._packed.complete:
            self._refuse_packed(self._packed)
        self._file.seek(0)
        if self._file.read(len(SQLITE_MAGIC)) != SQLITE_MAGIC:
            self._refuse_unknown(b"")
        self._file.flush()
        os.fsync(self._file.fileno())
        return found

    def _recognise(self, head: bytes) -> None:
        self._recognised, self._head = True, b""
        packed = next((kind for kind in FORMATS if head.startswith(kind.magic)), None)
        if packed:
            self._packed = packed(head)
        elif not head.startswith(SQLITE_MAGIC):
            self._refuse_unknown(head)
        self._refuse_without_room()

    def _refuse_without_room(self) -> None:
        # A gzip file's unpacked size is not known before its end; databases compress to less than a half.
        size = self._packed.size_bytes or (self._total or 0) * 2 if self._packed else self._total or 0
        needed, free = min(size, self._max_bytes), self._free_bytes()
        if needed > free:
            raise BootError(
                f"The snapshot needs {needed / 1e6:.1f} MB and the disk has {free / 1e6:.1f} MB left: "
                "free some space, or put DATABASE_URL on a larger disk."
            )

    def _unpack(self, packed: Gzip | Zstd, data: bytes) -> None:
        try:
            for piece in packed.feed(data):
                self._store(piece)
        except packed.broken:
            self._refuse_packed(packed)

    def _store(self, data: bytes) -> None:
        self._written += len(data)
        self._limit(self._written)
        self._file.write(data)

    def _limit(self, size: int) -> None:
        if size > self._max_bytes:
            raise BootError(
                f"The snapshot at {self._shown} is larger than {self._max_bytes / 1e6:.1f} MB: "
                "raise DATABASE_SNAPSHOT_MAX_BYTES if that is right."
            )

    def _refuse_packed(self, packed: Gzip | Zstd) -> None:
        raise BootError(f"The {packed.name} file at {self._shown} is damaged: upload it again.") from None

    def _refuse_unknown(self, head: bytes) -> None:
        what = "a web page" if head.lstrip().startswith(b"<") else "something that is not a SQLite database"
        raise BootError(
            f"{self._shown} returned {what}: point DATABASE_SNAPSHOT_URL at the file itself "
            "(a SQLite database, or one packed with gzip or zstd)."
        )

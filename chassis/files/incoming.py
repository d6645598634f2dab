"""A file while it arrives: written to a hidden file, counted, hashed, and looked at piece by piece."""

import codecs
import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import structlog

from chassis.base.concurrency import Turns, run_in_thread
from chassis.db.disk import DISK_FULL, PRIVATE
from chassis.errors import PayloadTooLarge, StorageFull, Unavailable
from chassis.files.places import FOLDER_MODE
from chassis.security.uploads import NOT_IN_TEXT, SNIFFED_BYTES, UNKNOWN, UTF16_BOMS, kind_of, kind_of_text
from chassis.settings import Settings

log = structlog.get_logger(__name__)
T = TypeVar("T")
FULL = "The disk of the service is full: nothing was stored."


class StorageAway(Unavailable):
    """The folder of files is missing, read-only or broken."""

    code, retry_after_seconds = "storage_unavailable", 10.0


class Batch:
    """The files of one request and their limits."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.files: list[Incoming] = []
        self.turns, self._bytes = Turns(), 0

    def add(self) -> "Incoming":
        """Return the next file; raise PayloadTooLarge when there are too many."""
        most = self.settings.max_files_per_batch
        if len(self.files) >= most:
            raise PayloadTooLarge(f"A request may have at most {most:,} files.")
        self.files.append(Incoming(self))
        return self.files[-1]

    def count(self, file_bytes: int, more: int) -> None:
        """Count bytes of a file that would have `file_bytes`; raise PayloadTooLarge above a limit."""
        self._bytes += more
        if file_bytes > (most := self.settings.max_file_size):
            raise PayloadTooLarge(f"A file may have at most {most:,} bytes.")
        if self._bytes > (most := self.settings.max_total_upload_size):
            raise PayloadTooLarge(f"The files of a request may have at most {most:,} bytes together.")

    def part(self) -> Path:
        """Return a new hidden path; the job `cleanup` deletes what a killed process leaves there."""
        return self.folder / f".{secrets.token_hex(16)}.part"

    def drop(self) -> None:
        """Delete what was not stored: of a hundred images, half a gigabyte."""
        for file in self.files:
            file.close()
        paths = [file.path for file in self.files]
        run_in_thread(lambda: _unlink(paths))


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        with suppress(OSError):  # the job `cleanup` deletes what stays; the response is more important
            path.unlink()


class Incoming:
    """One file: the stream that werkzeug's form parser writes to, and that views may read."""

    def __init__(self, batch: Batch) -> None:
        self.path, self.size = batch.part(), 0
        self._batch = batch
        self._file: IO[bytes] | None = None
        self._hash, self._head, self._text = hashlib.sha256(), b"", _Text()

    def write(self, piece: bytes) -> int:
        """Write the next bytes; raise PayloadTooLarge or StorageFull."""
        self._batch.count(self.size + len(piece), len(piece))
        room_for(lambda: self._write(piece))
        self.size += len(piece)
        self._hash.update(piece)
        self._text.look(piece)
        if len(self._head) < SNIFFED_BYTES:
            self._head = (self._head + piece)[:SNIFFED_BYTES]
        self._batch.turns.give()
        return len(piece)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, from the start after `seek(0)`."""
        content: bytes = self._opened("rb").read(size)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a byte; at the start, the file is closed until it is read, since a request may have a hundred."""
        if (offset, whence) != (0, os.SEEK_SET):
            at: int = self._opened("rb").seek(offset, whence)
            return at
        room_for(self.close)
        if not self.path.exists():  # it is empty
            room_for(lambda: self._opened("xb"))
            self.close()
        return 0

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell() if self._file else 0

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def another(self) -> Path:
        """Return a new path beside this file, for what is made of it."""
        return self._batch.part()

    @property
    def sha256(self) -> str:
        """The checksum of what has arrived."""
        return self._hash.hexdigest()

    def kind(self, name: str) -> str:
        """Return the media type by the whole content, as `uploads.kind_of` judges it."""
        if self._text.ended():
            return kind_of_text(self._head, name)
        found = kind_of(self._head, name)
        return UNKNOWN if found.startswith("text/") else found

    def _write(self, piece: bytes) -> None:
        """Write all of it; a disk that becomes full takes a part at first."""
        left = memoryview(piece)
        while left:
            left = left[self._opened("xb").write(left) :]

    def _opened(self, mode: str) -> Any:
        if self._file is None:
            self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            self._file = open(self.path, mode, buffering=0, opener=_private)  # noqa: SIM115
        return self._file


class _Text:
    """Whether pieces are text together, by the same rule as `uploads.kind_of`."""

    def __init__(self) -> None:
        self._start, self._good, self._wide = b"", True, codecs.getincrementaldecoder("utf-16")()

    def look(self, piece: bytes) -> None:
        """Look at the next bytes."""
        if not self._good:
            return
        if len(self._start) < 2:
            piece, self._start = self._start + piece, (self._start + piece)[:2]
            if len(self._start) < 2:
                return
        self._good = self._is_wide(piece) if self._start.startswith(UTF16_BOMS) else _plain(piece)

    def ended(self) -> bool:
        """Return whether all of it was text."""
        if len(self._start) < 2:
            return _plain(self._start)
        return self._good and (not self._start.startswith(UTF16_BOMS) or self._is_wide(b"", final=True))

    def _is_wide(self, piece: bytes, *, final: bool = False) -> bool:
        try:
            return "\x00" not in self._wide.decode(piece, final)
        except UnicodeDecodeError:
            return False


def _plain(piece: bytes) -> bool:
    return piece.translate(None, NOT_IN_TEXT) == piece


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def room_for(work: Callable[[], T]) -> T:
    """Return `work()`; raise StorageFull when the disk is full, and StorageAway when the folder cannot be used.

    A file that is not there stays a FileNotFoundError.
    """
    try:
        return work()
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in DISK_FULL:
            raise StorageFull(FULL) from None
        reason = error.strerror or type(error).__name__
        log.error("files_unavailable", reason=reason, path=error.filename)
        raise StorageAway(f"Files cannot be stored or read now: {reason}.") from None

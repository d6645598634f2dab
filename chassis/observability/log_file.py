"""LOG_FILE: several processes append to it, and whichever finds it full moves it aside.

A full file becomes `app.log.1`, an earlier one `app.log.2` and so on. The process that renames them holds a lock on
the full file; the others notice at their next line that the path has another file, and open that. So each line is in
one of the files, without a process that coordinates. A file that something else has moved or truncated is followed too.
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from chassis.observability.lines import LineHandler


class LogFile(LineHandler):
    """Appends each line to a file with one system call, and keeps the last `keep` files of `max_bytes`; 0 is no limit.

    A file is moved aside when it has reached `max_bytes`, so it may be longer by one line.
    """

    def __init__(self, path: Path, max_bytes: int = 0, keep: int = 1) -> None:
        self._path, self._max_bytes, self._keep = path, max_bytes, keep
        self._full_at = max_bytes
        super().__init__(self._open())

    def reopen(self) -> None:
        """Open the file at the path again after it was moved; keep the old one when that fails.

        The descriptor's number stays the same and is replaced in one step, so concurrent writers need no lock.
        """
        opened = self._open()
        os.dup2(opened, self._file, inheritable=False)
        os.close(opened)
        self._full_at = self._max_bytes

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def _write(self, text: str) -> None:
        if self._max_bytes:
            self._follow()
        super()._write(text)

    def _follow(self) -> None:
        """Open the path's file if it is a new one; move it aside first if it is full."""
        try:
            there = self._path.stat()
            if there.st_size >= self._full_at:
                self._make_room()
            elif not os.path.samestat(there, os.fstat(self._file)):
                self.reopen()
        except FileNotFoundError:
            self._try_to_reopen()
        except OSError as error:
            self._full_at += self._max_bytes  # try again when it has grown by that much
            self._say_why(error)

    def _try_to_reopen(self) -> None:
        with contextlib.suppress(OSError):  # the folder is gone, too: the old file stays in use
            self.reopen()

    def _make_room(self) -> None:
        """Move the files aside, unless another process does so now; its lock ends with the name of the file."""
        with _locked(self._path) as ours:
            if ours and self._path.stat().st_size >= self._full_at:
                free = next((n for n in range(1, self._keep) if not self._numbered(n).exists()), self._keep)
                for number in range(free - 1, 0, -1):
                    self._numbered(number).replace(self._numbered(number + 1))
                self._path.replace(self._numbered(1))
        self.reopen()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _say_why(self, error: OSError) -> None:
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": "log_file_not_rotated"}
        super()._write(self._shown(logging.makeLogRecord(fields | {"reason": error.strerror})) + "\n")

    def _open(self) -> int:
        new = not self._path.exists()
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new and os.geteuid() == 0:  # a file created by root's command must be writable by the service
            folder = self._path.parent.stat()
            os.fchown(file, folder.st_uid, folder.st_gid)
        return file


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Yield whether this process alone holds the lock on the file that is at the path.

    The file is opened once more: processes that were forked share the lock of a descriptor that they inherited.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.path.samestat(path.stat(), os.fstat(file))
    except BlockingIOError:
        yield False
    finally:
        os.close(file)

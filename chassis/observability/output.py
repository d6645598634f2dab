"""Where log lines go: standard output, or a file opened anew on SIGUSR1. A full disk costs lines and nothing else."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, ClassVar

from chassis.base.concurrency import original
from chassis.errors import SettingsError


def _nothing() -> None:
    """Count for nobody: gunicorn's master has no metrics."""


class LineHandler(logging.Handler):
    """Writes each line in one piece; one that cannot be written is dropped and counted, and that is said afterwards."""

    count: ClassVar[Any] = staticmethod(_nothing)  # told of each line that is dropped

    def __init__(self, file: int, encoding: str = "utf-8") -> None:
        super().__init__()
        self._file, self._encoding = file, encoding
        self._dropped, self._torn = 0, False  # since a line was written last
        self._write_bytes = original("os", "write")  # eventlet's tries a pipe that nobody reads for ever

    def createLock(self) -> None:
        """Take turns by Python's own lock: nobody waits while it is held, and a green one takes longer than a line."""
        self.lock = original("threading", "RLock")()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record's line."""
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        try:
            if self._dropped:
                self._write(self._confession())
                self._dropped, self._torn = 0, False
            self._write(line + "\n")
        except (OSError, ValueError):  # the latter is of a stream that is closed
            self._dropped += 1
            self.count()

    def _confession(self) -> str:
        """Return the line that tells of those that are missing, after the rest of one that was torn."""
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": "log_lines_dropped"}
        line = self.format(logging.makeLogRecord(fields | {"lines": self._dropped}))
        return f"\n{line}\n" if self._torn else f"{line}\n"

    def _write(self, text: str) -> None:
        line = text.encode(self._encoding, "backslashreplace")  # an odd character must not cost the line
        while line:
            line = line[self._write_bytes(self._file, line) :]
            self._torn = bool(line)


class StandardOutput(LineHandler):
    """Writes to what is standard output now, past its buffer: what a full disk leaves in there would come late."""

    def __init__(self) -> None:
        self._stream = sys.stdout
        super().__init__(_descriptor(self._stream), getattr(self._stream, "encoding", None) or "utf-8")

    def _write(self, text: str) -> None:
        if self._file < 0:
            self._stream.write(text)
        self._stream.flush()
        if self._file >= 0:
            super()._write(text)


class LogFile(LineHandler):
    """Appends to a file, each line by one system call, so that several processes may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(self._open())

    def reopen(self) -> None:
        """Go on in a new file where the old one was moved away; without one that can be opened, in the old.

        The number stays and is changed in one step, so that nobody who writes meanwhile needs a lock.
        """
        opened = self._open()
        os.dup2(opened, self._file, inheritable=False)
        os.close(opened)

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def _open(self) -> int:
        new = not self._path.exists()
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new and os.geteuid() == 0:  # an operator's command must not keep the service out of its own log
            folder = self._path.parent.stat()
            os.fchown(file, folder.st_uid, folder.st_gid)
        return file


def handler_for(log_file: Path | None) -> LineHandler:
    """Return the handler of LOG_FILE, or that of standard output; raise SettingsError when it cannot be written."""
    if log_file is None:
        return StandardOutput()
    try:
        return LogFile(log_file)
    except OSError as error:
        raise SettingsError([("LOG_FILE", f"cannot be written ({error.strerror}): {log_file}")]) from None


def to_file(handler: logging.Handler) -> bool:
    """Return whether a handler writes to LOG_FILE; in a worker it may be of the class that gunicorn's master loaded."""
    return hasattr(handler, "reopen")


def reopen() -> None:
    """Open the log file anew, if the lines go to one."""
    for handler in filter(to_file, logging.getLogger().handlers):
        try:
            handler.reopen()  # type: ignore[attr-defined]
        except OSError:
            logging.getLogger(__name__).exception("The log file cannot be reopened; the old one stays in use.")


def tell(sentence: str) -> None:
    """Print what whoever starts the process must see, where the log goes to a file."""
    if any(map(to_file, logging.getLogger().handlers)):
        print(sentence, file=sys.stderr)  # noqa: T201


def _descriptor(stream: object) -> int:
    """Return the number of a stream's file, or -1 where it has none, as in some tests."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return -1

"""Writes log lines to standard output, or to a file that is reopened on SIGUSR1; a full disk only loses lines."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, ClassVar

from chassis.base.concurrency import original
from chassis.errors import SettingsError


def _nothing() -> None:
    """Count nothing: gunicorn's master has no metrics."""


class LineHandler(logging.Handler):
    """Writes each line in one call; a line that cannot be written is dropped, counted and reported later."""

    count: ClassVar[Any] = staticmethod(_nothing)  # called for each dropped line

    def __init__(self, file: int, encoding: str = "utf-8") -> None:
        super().__init__()
        self._file, self._encoding = file, encoding
        self._dropped, self._torn = 0, False  # since the last line that was written
        self._write_bytes = original("os", "write")  # eventlet's retries forever on a pipe without a reader

    def createLock(self) -> None:
        """Use Python's own lock: it is never held while waiting, and a green lock takes longer than writing a line."""
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
        except (OSError, ValueError):  # ValueError: the stream is closed
            self._dropped += 1
            self.count()

    def _confession(self) -> str:
        """Return a line that reports the dropped lines; it begins on a new line after one that was cut short."""
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": "log_lines_dropped"}
        line = self.format(logging.makeLogRecord(fields | {"lines": self._dropped}))
        return f"\n{line}\n" if self._torn else f"{line}\n"

    def _write(self, text: str) -> None:
        line = text.encode(self._encoding, "backslashreplace")  # an odd character must not lose the line
        while line:
            line = line[self._write_bytes(self._file, line) :]
            self._torn = bool(line)


class StandardOutput(LineHandler):
    """Writes to the current standard output without its buffer, which would write late what a full disk held up."""

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
    """Appends each line to a file with one system call, so that several processes can share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(self._open())

    def reopen(self) -> None:
        """Open the file at the path again after it was moved; keep the old one when that fails.

        The descriptor's number stays the same and is replaced in one step, so concurrent writers need no lock.
        """
        opened = self._open()
        os.dup2(opened, self._file, inheritable=False)
        os.close(opened)

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        super().close()

    def _open(self) -> int:
        new = not self._path.exists()
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if new and os.geteuid() == 0:  # a file created by root's command must be writable by the service
            folder = self._path.parent.stat()
            os.fchown(file, folder.st_uid, folder.st_gid)
        return file


def handler_for(log_file: Path | None) -> LineHandler:
    """Return the handler for LOG_FILE, or for standard output; raise SettingsError when the file cannot be written."""
    if log_file is None:
        return StandardOutput()
    try:
        return LogFile(log_file)
    except OSError as error:
        raise SettingsError([("LOG_FILE", f"cannot be written ({error.strerror}): {log_file}")]) from None


def to_file(handler: logging.Handler) -> bool:
    """Return whether a handler writes to LOG_FILE; in a worker its class may be the one loaded by gunicorn's master."""
    return hasattr(handler, "reopen")


def reopen() -> None:
    """Reopen the log file, if there is one."""
    for handler in filter(to_file, logging.getLogger().handlers):
        try:
            handler.reopen()  # type: ignore[attr-defined]
        except OSError:
            logging.getLogger(__name__).exception("The log file cannot be reopened; the old one stays in use.")


def tell(sentence: str) -> None:
    """Print a message for the person who starts the process, when the log goes to a file."""
    if any(map(to_file, logging.getLogger().handlers)):
        print(sentence, file=sys.stderr)  # noqa: T201


def _descriptor(stream: object) -> int:
    """Return the descriptor of a stream, or -1 when it has none, as in some tests."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return -1

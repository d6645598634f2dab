"""Writes log lines in one call each; a full disk only loses lines."""

import logging
from typing import Any, ClassVar

from chassis.base.concurrency import original


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
            line = self._shown(record)
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

    def _shown(self, record: logging.LogRecord) -> str:
        """Return a record's line as this handler writes it."""
        return self.format(record)

    def _confession(self) -> str:
        """Return a line that reports the dropped lines; it begins on a new line after one that was cut short."""
        fields = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": "log_lines_dropped"}
        line = self._shown(logging.makeLogRecord(fields | {"lines": self._dropped}))
        return f"\n{line}\n" if self._torn else f"{line}\n"

    def _write(self, text: str) -> None:
        line = text.encode(self._encoding, "backslashreplace")  # an odd character must not lose the line
        while line:
            line = line[self._write_bytes(self._file, line) :]
            self._torn = bool(line)

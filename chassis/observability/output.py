"""Where log lines go: to standard output, to a file that is reopened on SIGUSR1, or to both."""

import logging
import os
import sys

from chassis.errors import SettingsError
from chassis.observability.lines import LineHandler
from chassis.observability.log_file import LogFile
from chassis.settings import Settings

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}  # as in sd-daemon(3)
DEBUG_PRIORITY = 7


class StandardOutput(LineHandler):
    """Writes to the current standard output without its buffer, which would write late what a full disk held up.

    In systemd's journal, which removes it again, each line begins with its level: `journalctl -p err` finds errors.
    """

    def __init__(self) -> None:
        self._stream = sys.stdout
        super().__init__(_descriptor(self._stream), getattr(self._stream, "encoding", None) or "utf-8")
        self._in_journal = is_journal(self._file)

    def _shown(self, record: logging.LogRecord) -> str:
        line = super()._shown(record)
        if not self._in_journal:
            return line
        level = f"<{PRIORITIES.get(record.levelno, DEBUG_PRIORITY)}>"
        return level + line.replace("\n", f"\n{level}")

    def _write(self, text: str) -> None:
        if self._file < 0:
            self._stream.write(text)
        self._stream.flush()
        if self._file >= 0:
            super()._write(text)


def handlers_for(settings: Settings, *, typed: bool) -> list[LineHandler]:
    """Return the handlers of the log; a command that is typed at a terminal logs to the terminal only.

    Raises SettingsError when LOG_FILE cannot be written.
    """
    path = None if typed else settings.log_path
    if path is None:
        return [StandardOutput()]
    try:
        file = LogFile(path, settings.log_file_max_bytes, settings.log_file_keep)
    except OSError as error:
        raise SettingsError([("LOG_FILE", f"cannot be written ({error.strerror}): {path}")]) from None
    return [StandardOutput(), file] if settings.log_file_and_stdout else [file]


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
    """Print a message for the person who starts the process, when the log goes to a file only."""
    handlers = logging.getLogger().handlers
    if any(map(to_file, handlers)) and not any(isinstance(handler, StandardOutput) for handler in handlers):
        print(sentence, file=sys.stderr)  # noqa: T201


def is_journal(file: int) -> bool:
    """Return whether a descriptor is connected to systemd's journal, which is named in JOURNAL_STREAM."""
    try:
        found = os.fstat(file)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _descriptor(stream: object) -> int:
    """Return the descriptor of a stream, or -1 when it has none, as in some tests."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return -1

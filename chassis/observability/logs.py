"""Structured logs of the service, gunicorn and the libraries: in one place, with secrets removed."""

import io
import logging
import signal
import sys
import threading
from collections.abc import Sequence

import structlog

from chassis.base import standard_files
from chassis.base.environment import is_command
from chassis.observability import output
from chassis.observability.formatting import formatter, shared
from chassis.settings import Settings

# The libraries' own loggers, by full name: they add a handler of their own unless a level is set.
QUIET = {
    "engineio.server": logging.WARNING,
    "socketio.server": logging.WARNING,
    "alembic": logging.WARNING,
    "urllib3": logging.INFO,
}


def configure_logging(settings: Settings) -> None:
    """Give the root logger its only handlers; calling it again replaces them, so no line is written twice.

    Raises SettingsError when LOG_FILE cannot be written. A command run at a terminal logs to the terminal; one that
    runs as a service, such as `flask jobs work`, reopens the file on SIGUSR1 as gunicorn does.
    """
    standard_files.open_closed()
    typed = is_command() and sys.stdout.isatty()
    handlers = output.handlers_for(settings, typed=typed)
    if is_command() and any(map(output.to_file, handlers)) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, lambda _number, _frame: output.reopen())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    for handler in handlers:
        colors = isinstance(handler, output.StandardOutput) and sys.stdout.isatty()
        handler.setFormatter(formatter(settings, as_json=settings.effective_log_format == "json", colors=colors))
    _take_over(handlers, settings.log_level)


def _take_over(handlers: Sequence[logging.Handler], level: str) -> None:
    _leave_out_what_no_line_shows()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a character that cannot be encoded must not lose the line
    root = logging.getLogger()
    earlier, root.handlers[:] = list(root.handlers), list(handlers)
    for one in filter(output.to_file, earlier):
        one.close()  # otherwise a worker keeps the master's file open until it ends, even after it was moved
    root.setLevel(level)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def _leave_out_what_no_line_shows() -> None:
    """Skip the look-up of thread, process and code location for each record, which takes half of the time."""
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
    logging._srcfile = None  # as Python's documentation of logging recommends


def _log_thread(raised: threading.ExceptHookArgs) -> None:
    """Log the exception that ended a thread, instead of printing it."""
    if raised.exc_type is SystemExit:
        return
    name = raised.thread.name if raised.thread else None
    trace = (raised.exc_type, raised.exc_value, raised.exc_traceback)
    structlog.get_logger("chassis.threads").error("thread_raised", thread=name, exc_info=trace)

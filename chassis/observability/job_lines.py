"""The last log lines of the last jobs of this process, without secrets, as the log has them."""

import logging
import threading
from collections import OrderedDict, deque
from typing import Any

import structlog

from chassis.observability.logs import REQUEST_FIELDS, formatter
from chassis.observability.redaction import Event
from chassis.settings import Settings

JOBS, LINES = 200, 100
HEAD_CHARACTERS, TAIL_CHARACTERS = 300, 700  # of a line; a traceback says the most at its end


class JobLines(logging.Handler):
    """Keeps what is logged with a `job_id`: of the last 200 jobs the last 100 lines, of 1,000 characters each."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.addFilter(_is_no_request)
        self.setFormatter(formatter(settings, pad=0, more=(_shorten,)))
        self._kept: OrderedDict[str, deque[str]] = OrderedDict()
        self._keeping = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line if it is about a job."""
        job_id = _job_of(record)
        if not job_id:
            return
        try:
            line = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if len(line) > HEAD_CHARACTERS + TAIL_CHARACTERS:
            line = f"{line[:HEAD_CHARACTERS]} ... {line[-TAIL_CHARACTERS:]}"
        with self._keeping:
            self._kept.setdefault(job_id, deque(maxlen=LINES)).append(line)
            self._kept.move_to_end(job_id)
            if len(self._kept) > JOBS:
                self._kept.popitem(last=False)

    def of(self, job_id: str) -> list[str]:
        """Return a job's lines, oldest first."""
        with self._keeping:
            return list(self._kept.get(job_id, ()))


def install(settings: Settings) -> JobLines:
    """Keep lines from now on; configuring the logging anew ends it."""
    lines = JobLines(settings)
    logging.getLogger().addHandler(lines)
    return lines


def _is_no_request(record: logging.LogRecord) -> bool:
    """Return whether a line may be a job's; the lock of a handler takes longer than that."""
    return not hasattr(record, REQUEST_FIELDS)


def _job_of(record: logging.LogRecord) -> str:
    """Return which job a record is about: by its own field, or by what its thread works on."""
    told: Any = record.msg if isinstance(record.msg, dict) else structlog.contextvars.get_contextvars()
    return str(told.get("job_id", ""))


def _shorten(_logger: Any, _method: str, event: Event) -> Event:
    """Leave out what is the same in every line of a job."""
    for name in ("job_id", "request_id"):
        event.pop(name, None)
    return event

"""The most recent log lines of this process's recent jobs, redacted as in the log."""

import logging
import threading
from collections import OrderedDict, deque
from typing import Any

import structlog

from chassis.observability.formatting import REQUEST_FIELDS, formatter
from chassis.observability.redaction import Event
from chassis.settings import Settings

JOBS, LINES = 200, 100
HEAD_CHARACTERS, TAIL_CHARACTERS = 300, 700  # of a line; the end of a traceback says the most


class JobLines(logging.Handler):
    """Keeps records with a `job_id`: the last 100 lines of each of the last 200 jobs, 1,000 characters per line."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.addFilter(_is_no_request)
        self.setFormatter(formatter(settings, pad=0, more=(_shorten,)))
        self._kept: OrderedDict[str, deque[str]] = OrderedDict()
        self._keeping = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record if it belongs to a job."""
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
    """Start keeping lines; configuring logging again stops it."""
    lines = JobLines(settings)
    logging.getLogger().addHandler(lines)
    return lines


def _is_no_request(record: logging.LogRecord) -> bool:
    """Return whether a record can belong to a job; this check is faster than taking the handler's lock."""
    return not hasattr(record, REQUEST_FIELDS)


def _job_of(record: logging.LogRecord) -> str:
    """Return the id of a record's job: from its own field, or from its thread's context."""
    told: Any = record.msg if isinstance(record.msg, dict) else structlog.contextvars.get_contextvars()
    return str(told.get("job_id", ""))


def _shorten(_logger: Any, _method: str, event: Event) -> Event:
    """Remove the fields that are the same in every line of a job."""
    for name in ("job_id", "request_id"):
        event.pop(name, None)
    return event

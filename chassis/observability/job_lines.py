"""The log lines of jobs that are not stored yet, redacted as in the log; chassis/jobs/lines.py stores them."""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from chassis.base.texts import storable
from chassis.observability.formatting import REQUEST_FIELDS, formatter
from chassis.observability.redaction import Event
from chassis.settings import Settings

JOBS, LINES = 200, 200
HEAD_CHARACTERS, TAIL_CHARACTERS = 300, 700  # of a line; the end of a traceback says the most
TRACEBACK, TRACEBACK_CHARACTERS = "job_raised", 8_000
STEPS = ("job_started", "job_ended", "job_requeued", "stalled_job_reset", TRACEBACK)  # of a job's timeline
DETAILS = ("attempt", "state", "reason", "error")
UNKNOWN_JOB = 32  # characters; longer ids are not those of jobs


@dataclass(frozen=True)
class Line:
    """A line of a job's log; `step` is its event and `details` that event's fields, if it belongs to the timeline."""

    job_id: str
    at: float
    level: str
    step: str | None
    details: dict[str, Any] | None
    text: str


class JobLines(logging.Handler):
    """Keeps records with a `job_id` until they are stored: at most 200 lines each of at most 200 jobs."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.addFilter(_is_no_request)
        self.setFormatter(formatter(settings, pad=0, more=(_shorten,)))
        self._kept: OrderedDict[str, deque[Line]] = OrderedDict()
        self._keeping = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record if it belongs to a job."""
        job_id = _job_of(record)
        if not job_id or len(job_id) > UNKNOWN_JOB:
            return
        try:
            line = _line(record, job_id, self.format(record))
        except Exception:
            self.handleError(record)
            return
        self.keep([line])

    def keep(self, lines: Iterable[Line], *, first: bool = False) -> None:
        """Keep lines to be stored; `first` puts them before those that came since."""
        with self._keeping:
            for line in lines:
                kept = self._kept.setdefault(line.job_id, deque(maxlen=LINES))
                if not first:
                    kept.append(line)
                elif len(kept) < LINES:
                    kept.appendleft(line)
                self._kept.move_to_end(line.job_id)
            while len(self._kept) > JOBS:
                self._kept.popitem(last=False)

    def of(self, job_id: str) -> list[str]:
        """Return the texts of a job's lines that are not stored yet, oldest first."""
        with self._keeping:
            return [line.text for line in self._kept.get(job_id, ())]

    def take(self) -> list[Line]:
        """Return all lines, oldest first, and keep them no longer."""
        with self._keeping:
            taken, self._kept = self._kept, OrderedDict()
        return sorted((line for some in taken.values() for line in some), key=lambda line: line.at)


def install(settings: Settings) -> JobLines:
    """Start keeping lines, in place of an earlier application's; configuring logging again stops it."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, JobLines)]:
        root.removeHandler(handler)
    lines = JobLines(settings)
    root.addHandler(lines)
    return lines


def _line(record: logging.LogRecord, job_id: str, text: str) -> Line:
    told = record.msg if isinstance(record.msg, dict) else {}
    event = told.get("event")
    step = event if event in STEPS else None
    details = {name: told[name] for name in DETAILS if told.get(name) is not None} if step else None
    most = TRACEBACK_CHARACTERS if step == TRACEBACK else HEAD_CHARACTERS + TAIL_CHARACTERS
    if len(text) > most:
        text = f"{text[:HEAD_CHARACTERS]} ... {text[HEAD_CHARACTERS - most :]}"
    return Line(job_id, record.created, record.levelname.lower(), step, details, storable(text))


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

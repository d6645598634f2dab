"""Sends updates to viewers, each event with its number in the room, so that clients can recover missed ones.

Each process reads job changes from the database and sends them to its own viewers, so jobs need no queue.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog

from chassis.db.ticker import DatabaseTicker
from chassis.extensions import socketio
from chassis.jobs import Job
from chassis.jobs.signals import job_changed
from chassis.realtime import contracts, recovery, relay

log = structlog.get_logger(__name__)
REST_SECONDS = 0.05  # between two rounds; a job tells its progress at most ten times a second
WORK_SECONDS = 0.03  # after which a round ends
IDLE_SECONDS = 0.5
JOB_ROOMS = "job:"
Source = Callable[[str], dict[str, Any] | None]

_sources: dict[str, tuple[str, Source]] = {}
_pending: "OrderedDict[str, str]" = OrderedDict()
_changed = threading.Event()


def job_room(job_id: str) -> str:
    """Return the name of the room of a job's viewers."""
    return JOB_ROOMS + job_id


def connect() -> None:
    """Send `job:update` for every changed job; safe to call more than once."""
    job_changed.connect(publish_job)


def publish(room: str, event: str, data: dict[str, Any]) -> None:
    """Send an event to all clients in a room; `data` is JSON, and gets a field `stream` with its number.

    Clients of all workers get it, and with REDIS_URL those of other machines.
    """
    if relay.numbers():
        relay.publish(room, event, data)
    else:
        contracts.check(event, data)
        socketio.emit(event, data, to=room)


def publish_details(kind: str, event: str, source: Source) -> None:
    """Send `event` with `source(job_id)` to a job's viewers after changes of jobs of that kind.

    They go out at once after a quiet moment and at most twenty times a second for each job, and less often when many
    jobs change at once; `source` returns what is new since its last call, or None.
    """
    _sources[kind] = (event, source)


def publish_job(job: Job) -> None:
    """Send a job's current state to its viewers."""
    recovery.deliver(job_room(job.id), "job:update", job.as_dict(), version=job.revision)
    if job.kind in _sources:
        _pending[job.id] = job.kind
        _changed.set()


class Publisher(DatabaseTicker):
    """Sends pending details of the jobs in turn, each job's once per round."""

    def __init__(self) -> None:
        super().__init__("publisher", REST_SECONDS)

    def tick(self) -> None:
        """Send details, and rest as long as that took: a slow database is busy half of the time at most."""
        if not _pending:
            _changed.wait(IDLE_SECONDS)
        _changed.clear()
        started = time.monotonic()
        try:
            send_some(until=started + WORK_SECONDS)
        finally:
            self._stopping.wait(max(0.0, time.monotonic() - started))


def send_some(until: float) -> None:
    """Send details until a time, but one job's at least; a job returns to the end of the queue while it has more."""
    if not recovery.speaks():
        _pending.clear()
    for _ in range(len(_pending)):
        job_id, kind = _pending.popitem(last=False)
        event, source = _sources[kind]
        details = source(job_id)
        if details is not None:
            _pending.setdefault(job_id, kind)
            recovery.deliver(job_room(job_id), event, details)
        if time.monotonic() >= until:
            break

"""Starts scheduled jobs: a row for each kind says when it runs next, and all runners check it."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from chassis.base import cron
from chassis.base.times import iso
from chassis.db import clock, db
from chassis.errors import BootError, Conflict, NotFound
from chassis.jobs import registry, schedule_store
from chassis.jobs.model import Job
from chassis.jobs.service import announce, new_job
from chassis.observability.metrics import SCHEDULE_SKIPPED
from chassis.security import audit
from chassis.settings import Settings

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.5
MISSED_SECONDS = 60.0  # a later run counts as missed


@dataclass(frozen=True)
class Schedule:
    """The schedule of a kind; times are seconds since 1970, None means never."""

    kind: str
    expression: str
    missed: str
    next_at: float | None
    last_at: float | None
    last_job_id: str | None
    last_state: str | None
    last_error: str | None
    last_success_at: float | None
    skipped: int

    def as_dict(self) -> dict[str, Any]:
        """Return the schedule as commands and pages show it; times are ISO 8601 UTC."""
        times = ("next_at", "last_at", "last_success_at")
        return vars(self) | {name: iso(getattr(self, name)) for name in times}


class _Plan:
    """The expressions in effect in this process."""

    expressions: dict[str, str] = {}
    zone: tzinfo = UTC
    zone_name = "UTC"
    stored = False
    looked = -math.inf


def configure(settings: Settings) -> None:
    """Read every kind's schedule; raise BootError for an invalid one."""
    _Plan.zone_name, _Plan.zone = settings.schedule_time_zone, cron.zone(settings.schedule_time_zone)
    _Plan.stored, _Plan.looked = False, -math.inf
    _Plan.expressions = {kind.name: _expression(kind, settings) for kind in registry.scheduled()}


def start_due() -> None:
    """Start the runs whose time has come, at most twice a second; missed runs are started once, or skipped."""
    if not _Plan.expressions or time.monotonic() - _Plan.looked < LOOK_SECONDS:
        return
    _Plan.looked = time.monotonic()
    if not _Plan.stored:
        db.write(_store)
        _Plan.stored = True
    for row in db.read(_due):
        if _Plan.expressions.get(row.kind):  # otherwise the kind is gone, or another process has a different schedule
            _start(row, clock.now())


def listing() -> list[Schedule]:
    """Return the schedules of all kinds known to the code, by name."""
    return db.read(known)


def known(conn: Connection) -> list[Schedule]:
    """Return the same, read on an open connection."""
    found = {row.kind: row for row in schedule_store.rows(conn)}
    return [_schedule(kind, found.get(kind)) for kind in sorted(_Plan.expressions)]


def run_now(kind: str) -> Job:
    """Start a run outside the schedule; raise NotFound for a kind without one, Conflict if one waits or runs."""
    if kind not in _Plan.expressions:
        raise NotFound(f"No job kind named {kind} has a schedule.")
    job, line = new_job(kind, {}), audit.entry("schedule.run", kind)

    def write(conn: Connection) -> bool:
        _store(conn)
        started = schedule_store.start_now(conn, kind, job, job.created_at)
        if started:
            audit.write(conn, line)
        return started

    if not db.write(write):
        raise Conflict(f"The last run of {kind} is still queued or running.")
    audit.tell(line)
    announce(job)
    return job


def _expression(kind: registry.Kind, settings: Settings) -> str:
    text = kind.schedule(settings) if callable(kind.schedule) else kind.schedule
    try:
        return cron.check(text)
    except ValueError as error:
        raise BootError(f"The schedule of the job kind {kind.name} {error}.") from None


def _store(conn: Connection) -> None:
    for kind, expression in _Plan.expressions.items():
        schedule_store.plan(conn, kind, f"{expression} {_Plan.zone_name}" if expression else "", _next(kind))


def _next(kind: str) -> float | None:
    expression = _Plan.expressions[kind]
    return cron.next_after(expression, clock.now(), _Plan.zone) if expression else None


def _due(conn: Connection) -> Sequence[Row[Any]]:
    clock.compare(conn)  # each time, since a machine's clock may jump
    return schedule_store.due(conn, clock.now())


def _start(row: Row[Any], now: float) -> None:
    kind, following = registry.kind(row.kind), _next(row.kind)
    assert following is not None
    if kind.missed == "skip" and now - row.next_at > MISSED_SECONDS:
        if db.write(lambda conn: schedule_store.skip(conn, kind.name, row.next_at, following)):
            _skipped(kind.name, "missed")
        return
    job = new_job(kind.name, {})
    outcome = db.write(lambda conn: schedule_store.start(conn, kind.name, row.next_at, following, job, now))
    if outcome == "started":
        log.info("schedule_started", kind=kind.name, job_id=job.id, late_seconds=round(now - row.next_at, 1))
        announce(job)
    elif outcome == "busy":
        _skipped(kind.name, "running")


def _skipped(kind: str, reason: str) -> None:
    SCHEDULE_SKIPPED.labels(kind, reason).inc()
    log.warning("schedule_skipped", kind=kind, reason=reason)


def _schedule(kind: str, row: Row[Any] | None) -> Schedule:
    names = ("last_at", "last_job_id", "last_state", "last_error", "last_success_at")
    last = {name: getattr(row, name, None) for name in names}
    following = _next(kind) if row is None else row.next_at
    missed, skipped = registry.kind(kind).missed, 0 if row is None else row.skipped
    return Schedule(kind, _Plan.expressions[kind], missed, following, skipped=skipped, **last)

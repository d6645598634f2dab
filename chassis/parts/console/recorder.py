"""Stores the figures of this worker for a day: a row for every five minutes, about 30 kB a day."""

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, update

from chassis.base.service import current as service
from chassis.db import db
from chassis.db.ticker import tell_failure
from chassis.parts.console.online import worker_name
from chassis.parts.console.tables import figures as table

STEP_SECONDS = 300.0
KEPT_SECONDS = 25 * 3600.0
EVERY_SECONDS = 15.0  # between two writes of the present row
HIGHEST = ("request_p95_seconds", "event_p95_seconds", "upstream_p95_seconds", "hub_lag_seconds", "queue_age_seconds")


class Recorder:
    """Takes this worker's figures every few seconds; a row has their mean, or the highest of times and ages."""

    def __init__(self) -> None:
        self._worker = worker_name()
        self._started_at = round(time.time(), 1)
        self._at, self._first_at, self._written_at = 0.0, 0.0, 0.0
        self._seen: dict[str, list[float]] = {}

    def take(self, figures: Mapping[str, float | None]) -> None:
        """Add the present figures; store the row now and then."""
        at = float(figures["at"] or 0)
        if at // STEP_SECONDS * STEP_SECONDS != self._at:
            self._at, self._first_at, self._seen = at // STEP_SECONDS * STEP_SECONDS, at, {}
        for name, value in figures.items():
            if value is not None and name != "at":
                self._seen.setdefault(name, []).append(value)
        if at - self._written_at >= EVERY_SECONDS:
            self._written_at = at
            self._store(at)

    def _store(self, at: float) -> None:
        row = {"worker": self._worker, "at": self._at}
        values: dict[str, Any] = {"first_at": self._first_at, "seen_at": at, "started_at": self._started_at}
        values |= {"version": service().version[:64], "figures": self._row()}
        try:
            db.write(lambda conn: _put(conn, row, values, at - KEPT_SECONDS))
        except Exception as error:
            tell_failure("figures", error)

    def _row(self) -> dict[str, float]:
        return {
            name: _short(max(seen) if name in HIGHEST else sum(seen) / len(seen)) for name, seen in self._seen.items()
        }


def _put(conn: Connection, row: dict[str, Any], values: dict[str, Any], before: float) -> None:
    """Store a row again, or for the first time; then old rows are deleted."""
    mine = (table.c.worker == row["worker"], table.c.at == row["at"])
    if conn.execute(update(table).where(*mine).values(**values)).rowcount == 0:
        conn.execute(table.insert().values(**row, **values))
        conn.execute(delete(table).where(table.c.at < before))


def _short(number: float) -> float:
    return float(f"{number:.3g}")

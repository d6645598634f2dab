"""`GET /admin/console/figures`: the stored figures of the service and of each worker, with deploys and restarts."""

import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, Field
from sqlalchemy import Row, select

from chassis.base import Turns
from chassis.db import db
from chassis.jobs import figures as job_figures
from chassis.observability import figures as own_figures
from chassis.observability.history import EVERY_SECONDS
from chassis.parts.console.recorder import HIGHEST, STEP_SECONDS
from chassis.parts.console.tables import figures as table
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.web import query_parameters

blueprint = Blueprint("console_charts", __name__, url_prefix="/admin/console")
NAMES = (*own_figures.NAMES, *job_figures.NAMES)
OF_ALL = {*job_figures.NAMES, *HIGHEST, "request_p50_seconds"}  # not added up: the highest counts
SAME_START_SECONDS = 60.0  # workers that start together make one marker
MOST_WORKERS = 16
GONE_SECONDS = 60.0  # without a sample
Series = dict[str, list[float | None]]


class Range(BaseModel):
    """How far to look back."""

    hours: float = Field(1, gt=0, le=24)


@blueprint.get("/figures")
@needs(ADMIN)
def show() -> Response:
    """Return the stored figures: of the service, and of each worker that runs if there are several."""
    now = time.time()
    since = now - query_parameters(Range).hours * 3600
    rows = db.read(lambda conn: list(conn.execute(select(table).order_by(table.c.at, table.c.worker))), unbounded=True)
    recent = [row for row in rows if row.at >= since - STEP_SECONDS]
    at = sorted({row.at for row in recent})
    alive = sorted({row.worker for row in recent if row.seen_at >= now - GONE_SECONDS})[:MOST_WORKERS]
    workers = {name: _series(at, [row for row in recent if row.worker == name]) for name in alive}
    shown = workers if len(alive) > 1 else {}
    markers = [one for one in _markers(rows) if one["at"] >= since]
    return jsonify(at=at, step=STEP_SECONDS, service=_series(at, recent), workers=shown, markers=markers)


def _series(at: Sequence[float], rows: Iterable[Row[Any]]) -> Series:
    """Return the values by figure, one for each time; of several workers their sum, or the highest.

    Others get a turn in between: a day of 16 workers takes 200 ms in all.
    """
    by_time = {moment: list(some) for moment, some in groupby(rows, key=lambda row: row.at)}
    found, turns = dict[str, list[float | None]](), Turns()
    for name in NAMES:
        found[name] = [_together(name, by_time.get(moment, [])) for moment in at]
        turns.give()
    return found


def _together(name: str, rows: Sequence[Row[Any]]) -> float | None:
    """Return the value of the workers of five minutes; one that followed another counts for its share of them."""
    found = [row for row in rows if name in row.figures]
    if not found:
        return None
    if name in OF_ALL:
        return max(float(row.figures[name]) for row in found)
    span = max(row.seen_at for row in found) - min(row.first_at for row in found) + EVERY_SECONDS
    total = sum(row.figures[name] * (row.seen_at - row.first_at + EVERY_SECONDS) / span for row in found)
    return float(f"{total:.4g}")


def _markers(rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    """Return the starts of workers: a deploy if the version changed, otherwise a restart."""
    starts = sorted({(row.started_at, row.version) for row in rows})
    found: list[dict[str, Any]] = []
    last, version = float("-inf"), starts[0][1] if starts else ""
    for started_at, now in starts:
        if started_at - last > SAME_START_SECONDS:
            words = "Restart" if now == version else f"Deploy of {now}"
            found.append({"at": started_at, "text": words})
        last, version = started_at, now
    return found

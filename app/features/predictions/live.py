"""Sends finished rows to a batch's viewers, read from the table, so that no row is lost or sent twice."""

from typing import Any

from app.features.predictions import service, store
from app.features.predictions.messages import NewRows
from app.features.predictions.store import KIND
from chassis.db import db
from chassis.realtime import publish_details, sends

ROWS_PER_EVENT = 500

_sent: dict[str, int] = {}
_asked_from: dict[str, int] = {}  # the first row whose call was on its way


def connect() -> None:
    """Register `results` with the publisher, which calls it after each change of a batch's job."""
    sends("prediction:results", NewRows, to="the viewers of the batch's job, while rows finish")
    publish_details(KIND, "prediction:results", results)


def results(job_id: str) -> dict[str, Any] | None:
    """Return the rows of a batch that finished since the last call, or None.

    The first call in a process only records the batch's position: a viewer whose last row is older requests the rest.
    """
    batch = db.read(lambda conn: store.by_job(conn, job_id))
    if batch is None:
        return None
    after = _sent.setdefault(job_id, batch["finish_seq"])
    found = db.read(lambda conn: store.rows_after(conn, batch["id"], after=after, limit=ROWS_PER_EVENT))
    if not found:
        if batch["status"] not in ("queued", "running"):
            _sent.pop(job_id, None)
            _asked_from.pop(job_id, None)
        return None
    _sent[job_id] = found[-1]["finish_no"]
    asked = service.asked(batch, _asked_from.pop(job_id, 0))
    if asked:
        _asked_from[job_id] = asked[0]
    counts = {name: batch[name] for name in ("job_id", "done", "failed", "total")}
    return {"id": batch["id"], **counts, "after": after, "upto": _sent[job_id], "rows": found, "asked": asked}

"""The actions on batches: create, show, cancel and run again."""

import time
import uuid
from typing import Any

from sqlalchemy import Connection

from app.features.predictions import prompt as prompts
from app.features.predictions import search, store
from app.features.predictions.predictor import predictor
from app.features.predictions.quotas import BATCHES, ROWS
from app.features.predictions.rows import Rows, stored_bytes
from chassis import jobs
from chassis.db import db
from chassis.errors import Conflict, NotFound, Unavailable
from chassis.jobs import QUEUED, RUNNING
from chassis.security import budgets, identity, ownership, quotas


def create(*, name: str, prompt: str, rows: Rows) -> dict[str, Any]:
    """Store a batch and queue its job in one transaction; return the ids of the batch and the job."""
    if predictor.problem:
        raise Unavailable(predictor.problem, code="predictor_missing")
    _check_budget()
    columns = list(rows[0])
    prompts.check(prompt, columns)
    prediction_id = uuid.uuid4().hex
    job = jobs.new_job(store.KIND, {"prediction_id": prediction_id}, total=len(rows))
    size = len(prompt.encode(errors="surrogatepass")) + stored_bytes(rows)
    batch = {
        "id": prediction_id,
        "job_id": job.id,
        "name": name,
        "prompt": prompt,
        "columns": columns,
        "model": predictor.model,
        "created_at": time.time(),
        "stored_bytes": size,
    }
    used = {BATCHES: 1, ROWS: len(rows), quotas.STORED_BYTES: size}

    def write(conn: Connection) -> None:
        quotas.take(conn, job.submitted_by, **used)
        jobs.insert(conn, job)
        store.insert(conn, batch, rows)

    db.write(write)
    jobs.announce(job)
    return {"id": prediction_id, "job_id": job.id}


def get(prediction_id: str) -> dict[str, Any]:
    """Return a batch that the caller may see; raise NotFound."""
    batch = db.read(lambda conn: store.get(conn, prediction_id))
    if batch is None:
        raise NotFound("There is no such batch.")
    ownership.check_seen(batch.pop("submitted_by"), "batch")
    return batch | {"asked": asked(batch)}


def asked(batch: dict[str, Any], start: int = 0) -> list[int]:
    """Return the positions of the rows whose calls are on their way; none of them is before `start`."""
    if batch["status"] != RUNNING:
        return []
    most = predictor.concurrency
    return db.read(lambda conn: search.first_waiting(conn, batch["id"], start=start, limit=most))


def listing(page: int, per_page: int) -> dict[str, Any]:
    """Return a page of batches, newest first; it may lag (DATABASE_READ_URL)."""
    owner, offset = ownership.seen_owner(), (page - 1) * per_page
    found, total = db.read(lambda conn: store.listing(conn, owner=owner, limit=per_page, offset=offset), may_lag=True)
    return {"items": found, "page": page, "per_page": per_page, "total": total}


def cancel(prediction_id: str) -> dict[str, Any]:
    """Stop a batch; raise Conflict when it has ended."""
    jobs.cancel(get(prediction_id)["job_id"])
    return get(prediction_id)


def requeue(prediction_id: str, *, failed: bool) -> dict[str, Any]:
    """Resume an ended batch with its unanswered rows, and, if `failed`, with those that ended in an error."""
    batch = get(prediction_id)
    jobs.check_changed(jobs.get(batch["job_id"]))
    open_rows = batch["total"] - batch["done"] + (batch["failed"] if failed else 0)
    if batch["status"] == "succeeded" and not open_rows:
        raise Conflict("Every row already has an answer.")
    if batch["status"] in (QUEUED, RUNNING):
        raise Conflict(f"The batch is already {batch['status']}.")
    _check_budget()
    owner = identity.current().owner

    def write(conn: Connection) -> jobs.Job:
        quotas.take(conn, owner, **{ROWS: open_rows})
        job = jobs.put_back(conn, batch["job_id"], owner)
        if job is None:
            raise Conflict(f"The batch is already {batch['status']}.")
        if failed:
            store.forget_failures(conn, prediction_id)
        return job

    job = db.write(write)
    jobs.announce(job)
    return get(prediction_id)


def _check_budget() -> None:
    """Raise BudgetExceeded if nothing is left for the caller's calls; the demo costs nothing."""
    if not predictor.demo:
        budgets.check()

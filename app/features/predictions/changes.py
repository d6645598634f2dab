"""The actions on batches that exist: rename, delete, and run again as a new batch."""

from typing import Any

from app.features.predictions import export, service, store
from chassis import jobs
from chassis.db import db
from chassis.errors import Conflict


def rename(prediction_id: str, name: str) -> dict[str, Any]:
    """Give a batch another name and return it; raise NotFound or Forbidden."""
    _own(prediction_id)
    db.write(lambda conn: store.rename(conn, prediction_id, name))
    return service.get(prediction_id)


def remove(prediction_id: str) -> dict[str, Any]:
    """Delete an ended batch with its rows and return it; raise Conflict while it waits or runs."""
    batch = _own(prediction_id)
    if not db.write(lambda conn: store.remove(conn, prediction_id, batch["job_id"])):
        raise Conflict(f"The batch is {batch['status']}: cancel it before you delete it.")
    return batch


def run_again(prediction_id: str) -> dict[str, Any]:
    """Store a new batch with the prompt and the rows of another one; return the ids of the batch and the job."""
    batch = service.get(prediction_id)
    rows = [row["input"] for row in export.rows(prediction_id)]
    return service.create(name=batch["name"], prompt=batch["prompt"], rows=rows)


def _own(prediction_id: str) -> dict[str, Any]:
    batch = service.get(prediction_id)
    jobs.check_changed(jobs.get(batch["job_id"]))
    return batch

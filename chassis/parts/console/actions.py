"""An admin's actions on jobs in the console, and the details of a job."""

import os
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, Field

from chassis import jobs
from chassis.base.times import iso
from chassis.errors import Conflict
from chassis.jobs import bulk
from chassis.observability.job_lines import JobLines
from chassis.observability.redaction import redact_names
from chassis.realtime import presence
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.web.body import json_body
from chassis.wiring import kept

blueprint = Blueprint("console_actions", __name__, url_prefix="/admin/console")
TIMES = ("queued_at", "not_before", "updated_at", "lease_expires_at")
MAX_MEMBERS = 500


class Chosen(BaseModel):
    """The selected jobs."""

    ids: list[str] = Field(min_length=1, max_length=200, fail_fast=True)


@blueprint.get("/jobs/<job_id>")
@needs(ADMIN)
def job(job_id: str) -> Response:
    """Return all details of a job, with the last lines that this process logged about it."""
    found = jobs.get(job_id)
    more: dict[str, Any] = {name: getattr(found, name) for name in ("owner", "priority", "submitted_by")}
    more |= {name: iso(getattr(found, name)) for name in TIMES}
    more |= redact_names(None, "", {"payload": found.payload})
    lines = kept(JobLines).of(job_id)
    return jsonify(job=found.as_dict() | more, lines=lines, pid=os.getpid())


@blueprint.post("/jobs/requeue")
@needs(ADMIN)
def requeue() -> Response:
    """Queue ended jobs again."""
    return _changed(bulk.requeue(json_body(Chosen).ids), "are already queued or running")


@blueprint.post("/jobs/cancel")
@needs(ADMIN)
def cancel() -> Response:
    """Cancel queued jobs, and ask running ones to stop."""
    return _changed(bulk.cancel(json_body(Chosen).ids), "have already ended")


@blueprint.post("/jobs/requeue-interrupted")
@needs(ADMIN)
def requeue_interrupted() -> Response:
    """Queue all interrupted jobs again."""
    return jsonify(changed=bulk.requeue_interrupted())


@blueprint.get("/presence")
@needs(ADMIN)
def who_is_there() -> Response:
    """Return the members of every room in all processes."""
    return jsonify(rooms=[{"name": room, "members": who} for room, who in presence.rooms(MAX_MEMBERS).items()])


def _changed(changed: list[jobs.Job], otherwise: str) -> Response:
    if not changed:
        raise Conflict(f"Nothing was changed: the jobs {otherwise}, or do not exist.")
    return jsonify(changed=len(changed))

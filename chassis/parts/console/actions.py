"""The console's jobs: the list, each job's page, and an admin's actions on them."""

import time
import uuid
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, Field, model_validator

from chassis import jobs
from chassis.errors import BadRequest, Conflict
from chassis.jobs import bulk, registry
from chassis.jobs.model import STATES
from chassis.observability.job_lines import TRACEBACK
from chassis.parts.console import listing, online
from chassis.parts.console.listing import Wanted
from chassis.parts.console.shown import data, page, wants_page
from chassis.realtime import presence
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.web.body import json_body, query_parameters

blueprint = Blueprint("console_actions", __name__, url_prefix="/admin/console")
MAX_MEMBERS = 500
AT_ONCE = 1_000  # jobs that match and are changed by one request
Act = Callable[[Sequence[str], str], bulk.Changed]


class Chosen(BaseModel):
    """The selected jobs: their ids, or all that match what was looked for at a time."""

    ids: list[str] = Field([], max_length=200, fail_fast=True)
    matching: Wanted | None = None
    until: float = Field(0, ge=0, le=1e11, allow_inf_nan=False, description="Seconds since 1970; 0 means now.")

    @model_validator(mode="after")
    def _one(self) -> "Chosen":
        if bool(self.ids) == (self.matching is not None):
            raise ValueError("Name jobs by `ids` or by `matching`.")
        return self


class Undo(BaseModel):
    """What to take back."""

    token: str = Field(pattern=r"^[0-9a-f]{32}$", description="The `undo` of the response to the change.")


@blueprint.get("/jobs")
@needs(ADMIN)
def all_jobs() -> Response:
    """Return a page of jobs, newest first; to browsers the page that lists them."""
    if wants_page():
        return page("jobs", states=STATES, kinds=sorted(registry.names(cpu_bound=True)), to_come=_number_to_come())
    return data(**listing.page(query_parameters(Wanted)), at=time.time())


@blueprint.get("/jobs/<job_id>")
@needs(ADMIN)
def job(job_id: str) -> Response:
    """Return all details of a job, with its log lines; to browsers its page."""
    found = jobs.get(job_id)
    stored = listing.stored_lines(job_id)
    lines, steps = [line["text"] for line in stored], [line for line in stored if line["step"]]
    if wants_page():
        raised = [step["text"] for step in steps if step["step"] == TRACEBACK]
        return page("job", job=found, title=listing.title(found), lines=lines, traceback="".join(raised[-1:]))
    return data(job=listing.details(found), lines=lines, steps=steps)


@blueprint.post("/jobs/requeue")
@needs(ADMIN)
def requeue() -> Response:
    """Queue ended jobs again."""
    return _changed(bulk.REQUEUE, bulk.requeue, "are already queued or running")


@blueprint.post("/jobs/cancel")
@needs(ADMIN)
def cancel() -> Response:
    """Cancel queued jobs, and ask running ones to stop."""
    return _changed(bulk.CANCEL, bulk.cancel, "have already ended")


@blueprint.post("/jobs/delete")
@needs(ADMIN)
def delete() -> Response:
    """Delete ended jobs with their log lines."""
    return _changed(bulk.DELETE, bulk.delete, "have not ended, belong to the data of a feature")


@blueprint.post("/jobs/undo")
@needs(ADMIN)
def take_back() -> Response:
    """Take back what was done to jobs in the last two minutes, unless they have changed since."""
    changed, missed = bulk.take_back(json_body(Undo).token)
    if not changed:
        raise Conflict("Nothing was undone: the jobs have changed since, or it was too long ago.")
    return jsonify(changed=changed, missed=missed)


@blueprint.get("/presence")
@needs(ADMIN)
def who_is_there() -> Response:
    """Return the people and keys with open sockets, and the members of every room, of all processes."""
    rooms = [{"name": room, "members": who} for room, who in presence.rooms(MAX_MEMBERS).items()]
    return jsonify(online=online.everywhere(), rooms=rooms)


def _number_to_come() -> int:
    """Return how many jobs the page will show, so that it can keep their place; its script tells what is wrong."""
    try:
        return len(listing.page(query_parameters(Wanted))["items"])
    except BadRequest:
        return 0


def _changed(action: str, act: Act, otherwise: str) -> Response:
    """Change the jobs that the request names.

    `undo` takes it back; it is None if that is not possible. `more` says that others match, too.
    """
    chosen, token = json_body(Chosen), uuid.uuid4().hex
    ids = chosen.ids
    if chosen.matching is not None:
        ids = bulk.matching(action, chosen.matching.asked(), chosen.until or time.time(), AT_ONCE + 1)
    changed, able = act(ids[:AT_ONCE], token)
    if not changed:
        raise Conflict(f"Nothing was changed: the jobs {otherwise}, or do not exist.")
    return jsonify(changed=len(changed), undo=token if able else None, more=len(ids) > AT_ONCE)

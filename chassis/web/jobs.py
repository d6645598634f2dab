"""The HTTP interface to jobs."""

from flask import Blueprint, Response, jsonify
from pydantic import Field

from chassis import jobs
from chassis.jobs.described import JobResponse
from chassis.jobs.model import State
from chassis.web.body import Text, query_parameters
from chassis.web.openapi.describe import describe
from chassis.web.paging import Page, Paging

blueprint = Blueprint("jobs_api", __name__, url_prefix="/api/jobs")


class JobQuery(Paging):
    """Which jobs."""

    state: State | None = Field(None, description="Only jobs in this state.")
    kind: Text | None = Field(None, max_length=200, description="Only jobs of this kind.")


class JobPage(Page[JobResponse]):
    """A page of jobs, newest first."""


@blueprint.get("")
@describe(query=JobQuery, answers={200: JobPage})
def listing() -> Response:
    """Return a page of jobs, newest first."""
    asked = query_parameters(JobQuery)
    return jsonify(jobs.listing(state=asked.state, kind=asked.kind, page=asked.page, per_page=asked.per_page))


@blueprint.get("/<job_id>")
@describe(answers={200: JobResponse, 404: "There is no such job, or you may not see it."})
def show(job_id: str) -> Response:
    """Return one job."""
    return jsonify(jobs.seen(job_id).as_dict())

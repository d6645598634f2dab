"""`GET /api/admin/stats`: the console's figures for programs."""

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, BaseModel, Field

from chassis.parts.console import stats
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.web.health import CheckResult
from chassis.web.openapi import describe

blueprint = Blueprint("admin_api", __name__, url_prefix="/api/admin")


class Figures(BaseModel):
    """The last five seconds of the process that answers; null where nothing was observed."""

    at: float = Field(description="Seconds since 1970.")
    connections: float | None = Field(description="Open Socket.IO connections.")
    upstream_in_flight: float | None
    events_per_second: float | None
    requests_per_second: float | None
    upstream_calls_per_second: float | None
    upstream_rate_limited_per_second: float | None = Field(description="429 responses of the outside API.")
    upstream_errors_per_second: float | None
    request_p50_seconds: float | None
    request_p95_seconds: float | None
    event_p95_seconds: float | None
    upstream_p95_seconds: float | None = Field(description="Of calls to the outside API.")
    hub_lag_seconds: float | None = Field(description="Event-loop lag, 99th percentile.")
    memory_bytes: float | None = Field(description="Resident memory.")
    queue_age_seconds: float | None = Field(description="How long the next job has been waiting.")
    jobs_queued: float | None
    jobs_running: float | None
    jobs_succeeded: float | None
    jobs_failed: float | None
    jobs_cancelled: float | None
    jobs_interrupted: float | None


class Upstream(BaseModel):
    """This process's calls to the outside API."""

    host: str
    model: str
    has_key: bool
    in_flight: int
    limit: int = Field(description="Maximum calls in flight at once.")
    waiting: int = Field(description="Callers waiting for a slot or for their turn.")
    paused_seconds: float = Field(description="How long calls are paused because the API asked for it.")
    problem: str | None = Field(description="Why the API counts as failing: several calls in a row failed.")
    outcomes: dict[str, int] = Field(description="Calls since the start, by their outcome.")


class Stats(BaseModel):
    """The state of one process; with several workers, of the one that answers."""

    pid: int
    workers: int = Field(description="How many workers there are.")
    sessions_by_pid: dict[str, int] = Field(description="Open sessions of each worker of this machine, by its pid.")
    version: str
    chassis_version: str
    python: str
    async_mode: str
    started_at: AwareDatetime
    uptime_seconds: float
    ready: bool
    checks: dict[str, CheckResult]
    maintenance: str | None = Field(description="The reason for maintenance mode.")
    figures: Figures
    series: dict[str, list[float | None]] = Field(
        description="A sample every five seconds of the last hour, oldest first, by the figure's name."
    )
    upstream: Upstream


@blueprint.get("/stats")
@needs(ADMIN)
@describe(answers={200: Stats})
def show() -> Response:
    """Return the figures of the process that answers, now and over the last hour."""
    return jsonify(stats.stats())

"""Health checks: whether the process is alive and the service ready, and the reasons when it is not."""

import contextlib
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, make_response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from chassis.base.service import CHASSIS_VERSION
from chassis.base.service import current as service
from chassis.db import db, outcomes
from chassis.errors import AppError
from chassis.observability.metrics import READY
from chassis.realtime import nodes
from chassis.security import maintenance
from chassis.security.guard import public
from chassis.upstream import upstream
from chassis.web.openapi.describe import describe
from chassis.wiring import HealthCheck, current_settings, current_wiring

blueprint = Blueprint("health", __name__)


class Alive(BaseModel):
    """The process can answer."""

    status: Literal["alive"]


class CheckResult(BaseModel):
    """What a check found."""

    ok: bool
    detail: str


class Readiness(BaseModel):
    """Whether the service can do its work, and each check's reason."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, CheckResult]


class Health(BaseModel):
    """Whether the service can do its work, and which checks pass."""

    status: Literal["ok", "unavailable"]
    version: str
    chassis_version: str
    checks: dict[str, bool]


@blueprint.get("/health/live", endpoint="live")
@blueprint.get("/livez")
@public
@describe(answers={200: Alive})
def livez() -> Response:
    """Return 200 as long as the process responds; checks nothing else."""
    return jsonify(status="alive")


@blueprint.get("/health/ready", endpoint="ready")
@blueprint.get("/readyz")
@public
@describe(answers={200: Readiness, 503: Readiness})
def readyz() -> Response:
    """Return 200 when the service is ready, or 503 with the reasons."""
    found = run_checks()
    return _answer(found, checks=explained(found))


def explained(found: dict[str, str | None]) -> dict[str, dict[str, Any]]:
    """Return what the checks found, and the remarks that are no reason to be unready, each with its sentence."""
    checks: dict[str, dict[str, Any]] = {
        name: {"ok": reason is None, "detail": reason or "ok"} for name, reason in found.items()
    }
    if why := maintenance.reason():  # maintenance is no reason to stop sending requests here
        checks["maintenance"] = {"ok": True, "detail": why}
    if why := upstream.problem():  # nor is this: any other instance would have the same problem
        checks["upstream"] = {"ok": True, "detail": why}
    if why := nodes.state.problem():  # nor this: clients here are served, and other instances have the same Redis
        checks["redis"] = {"ok": True, "detail": why}
    if why := _refused_snapshot():  # the data being served is older than requested, but valid
        checks["snapshot"] = {"ok": True, "detail": why}
    for name, detail in current_wiring().health_details.items():
        if why := _run(detail):
            checks[name] = {"ok": True, "detail": why}
    return checks


@blueprint.get("/health", endpoint="health")
@blueprint.get("/healthz")
@public
@describe(answers={200: Health, 503: Health})
def healthz() -> Response:
    """Return the health of the service and its version."""
    found = run_checks()
    versions = {"version": service().version, "chassis_version": CHASSIS_VERSION}
    return _answer(found, **versions, checks={name: reason is None for name, reason in found.items()})


def observe() -> bool:
    """Run the checks for their metric, and return whether all passed."""
    return _ready(run_checks())


def _ready(found: dict[str, str | None]) -> bool:
    ready = all(reason is None for reason in found.values())
    READY.set(int(ready))
    return ready


def _answer(found: dict[str, str | None], **body: object) -> Response:
    ready = _ready(found)
    response = jsonify(status="ok" if ready else "unavailable", **body)
    return make_response(response, 200 if ready else 503)


def run_checks() -> dict[str, str | None]:
    """Run all checks; return by name the reason why each failed, or None."""
    wiring = current_wiring()
    found = {name: _run(check) for name, check in wiring.health_checks.items()}
    found["accepting"] = "the process is stopping" if wiring.draining() else None
    return found


def _refused_snapshot() -> str | None:
    """Return why the last start did not install the requested snapshot, or None."""
    settings = current_settings()
    if settings.database_snapshot_policy != "refresh":
        return None
    with contextlib.suppress(SQLAlchemyError):  # the database's own check reports this
        row = db.read(lambda conn: outcomes.of(conn, outcomes.SNAPSHOT_STEP))
        if row is not None and row.outcome.startswith(outcomes.REFUSED):
            return str(row.outcome)
    return None


def _run(check: HealthCheck) -> str | None:
    try:
        return check()
    except AppError as error:
        return error.message
    except Exception as error:
        return f"the check failed: {type(error).__name__}"

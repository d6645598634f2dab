"""Schedules, job workers, backups and the maintenance mode on the console."""

from typing import Any

from flask import Blueprint, Response, jsonify, send_file
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response as AnyResponse

from chassis import jobs
from chassis.base.times import iso
from chassis.db import backup, db, state
from chassis.db.backup.places import Folder, place_of
from chassis.errors import Conflict, NotFound
from chassis.jobs import beat, schedules
from chassis.parts.console.shown import data, page, wants_page
from chassis.security import audit, maintenance
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.security.proof import recently_proved
from chassis.web.body import Text, json_body
from chassis.wiring import current_settings

blueprint = Blueprint("console_operations", __name__, url_prefix="/admin/console")


class Reason(BaseModel):
    """The reason for maintenance mode; empty to turn it off."""

    reason: Text = Field(max_length=300)


@blueprint.get("/schedules")
@needs(ADMIN)
def all_schedules() -> Response:
    """Return the schedules; to browsers the page of schedules, backups, workers and the maintenance mode."""
    if wants_page():
        return page("schedules", schedule_zone=current_settings().schedule_time_zone)
    return data(schedules=[schedule.as_dict() for schedule in schedules.listing()])


@blueprint.post("/schedules/<kind>/run")
@needs(ADMIN)
def run(kind: str) -> Response:
    """Start a run in addition to the schedule."""
    return jsonify(job_id=schedules.run_now(kind).id)


@blueprint.get("/workers")
@needs(ADMIN)
def all_workers() -> Response:
    """Return the processes that run jobs, and the kinds that none of them runs."""
    return jsonify(workers=[worker.as_dict() for worker in beat.listing()], missing=beat.without_worker())


@blueprint.get("/backups")
@needs(ADMIN)
def all_backups() -> Response:
    """Return the backups; of a bucket, which workers do not query, only the last one and the verified ones."""
    here = isinstance(place_of(current_settings()), Folder)
    found = _in_folder() if here else _remembered()
    return jsonify(backups=found, here=here, failed=db.read(backup.failed))


@blueprint.post("/backups")
@needs(ADMIN)
def make() -> Response:
    """Start a backup."""
    return _started("backup", {}, "backup.make", "")


@blueprint.post("/backups/<name>/verify")
@needs(ADMIN)
def verify(name: str) -> Response:
    """Restore a backup into a scratch location to verify it."""
    return _started("backup_drill", {"name": _known(name)}, "backup.verify", name)


@blueprint.post("/backups/<name>/download")
@needs(ADMIN)
@recently_proved
def download(name: str) -> AnyResponse:
    """Download a backup; this is recorded in the audit log, since a backup contains everything."""
    place = place_of(current_settings())
    if not isinstance(place, Folder):
        raise Conflict("The backups are in a bucket: download them from there.")
    path = place.staging / _known(name)
    audit.record("backup.download", name)
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)


@blueprint.post("/maintenance")
@needs(ADMIN)
def maintain() -> Response:
    """Turn maintenance mode on with a reason, or off without one."""
    reason = json_body(Reason).reason.strip()
    maintenance.turn_on(reason) if reason else maintenance.turn_off()
    return jsonify(maintenance=maintenance.reason())


def _in_folder() -> list[dict[str, Any]]:
    return [_shown(vars(one)) for one in backup.listing(current_settings())]


def _remembered() -> list[dict[str, Any]]:
    last = db.read(lambda conn: state.get(conn, backup.LAST))
    proofs = db.read(lambda conn: state.get(conn, backup.PROVEN)) or {}
    known = {name: {"name": name, "size_bytes": None, **proof} for name, proof in proofs.items()}
    if last:
        known[last["name"]] = {"proven_at": None, **known.get(last["name"], {}), **last}
    return [_shown(one) for one in sorted(known.values(), key=lambda one: float(one["made_at"]), reverse=True)]


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    times = {name: iso(one[name]) for name in ("made_at", "proven_at")}
    return {name: one[name] for name in ("name", "size_bytes", "sha256")} | times


def _known(name: str) -> str:
    """Return the name of a listed backup; raise NotFound for any other name."""
    here = isinstance(place_of(current_settings()), Folder)
    if name not in (one["name"] for one in (_in_folder() if here else _remembered())):
        raise NotFound("There is no such backup.")
    return name


def _started(kind: str, payload: dict[str, Any], action: str, target: str) -> Response:
    audit.record(action, target)
    return jsonify(job_id=jobs.enqueue(kind, payload).id)

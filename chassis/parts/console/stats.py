"""The console's view of this process: its figures and its surroundings."""

import os
import platform
import time
from typing import Any

from flask import current_app
from prometheus_client import Counter

from chassis.base.concurrency import current_mode
from chassis.base.service import CHASSIS_VERSION
from chassis.base.service import current as service
from chassis.base.times import iso
from chassis.extensions import socketio
from chassis.jobs import figures
from chassis.observability.history import History
from chassis.observability.metrics import UPSTREAM_CALLS
from chassis.security import maintenance
from chassis.server.several.roster import Roster
from chassis.upstream import upstream
from chassis.web import health
from chassis.wiring import current_settings, current_wiring, keep, kept


def stats() -> dict[str, Any]:
    """Return the current figures, those of the last hour, and the state of all parts."""
    found = about() | readiness() | {"maintenance": maintenance.reason(), "figures": now()}
    found |= {"sessions_by_pid": sessions_by_pid()}
    return found | {"series": history().series(), "upstream": upstream_state()}


def about() -> dict[str, Any]:
    """Return the versions that run here, and the start time."""
    settings = current_settings()
    started = history().started_at
    return {
        "pid": os.getpid(),
        "workers": settings.gunicorn_workers,
        "version": service().version,
        "chassis_version": CHASSIS_VERSION,
        "python": platform.python_version(),
        "async_mode": current_mode(),
        "started_at": iso(started),
        "uptime_seconds": round(max(0.0, time.time() - started), 1),
    }


def sessions_by_pid() -> dict[str, int]:
    """Return the open sessions of each worker of this machine by its pid."""
    rows = Roster.of_service()
    return {str(row.pid): row.sessions for row in rows} or {str(os.getpid()): len(socketio.server.eio.sockets)}


def readiness() -> dict[str, Any]:
    """Return whether the service is ready, with the reasons."""
    found = health.run_checks()
    return {"ready": all(reason is None for reason in found.values()), "checks": health.explained(found)}


def now() -> dict[str, float | None]:
    """Return the current figures."""
    return history().present()


def upstream_state() -> dict[str, Any]:
    """Return the state of the outside API's client, with its calls since the start by outcome."""
    return upstream.state() | {"outcomes": _by_label(UPSTREAM_CALLS, "outcome")}


def history() -> History:
    """Return the worker's history; an empty one in other processes, such as a test's."""
    if History not in current_wiring().kept:
        keep(current_app, History(figures.figures, figures.NAMES))
    return kept(History)


def _by_label(counter: Counter, label: str) -> dict[str, int]:
    samples = [sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total")]
    return {sample.labels[label]: int(sample.value) for sample in samples}

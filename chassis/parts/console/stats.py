"""What the console shows of this process: the figures, and what stands around them."""

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
from chassis.jobs import figures
from chassis.observability.history import History
from chassis.observability.metrics import UPSTREAM_CALLS
from chassis.security import maintenance
from chassis.upstream import upstream
from chassis.web import health
from chassis.wiring import current_settings, current_wiring, keep, kept


def stats() -> dict[str, Any]:
    """Return the figures now and over the last hour, and the state of all parts."""
    found = about() | readiness() | {"maintenance": maintenance.reason(), "figures": now()}
    return found | {"series": history().series(), "upstream": upstream_state()}


def about() -> dict[str, Any]:
    """Return what runs here, and since when."""
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


def readiness() -> dict[str, Any]:
    """Return whether the service can do its work, and the reasons."""
    found = health.run_checks()
    checks = {name: {"ok": reason is None, "detail": reason or "ok"} for name, reason in found.items()}
    return {"ready": all(check["ok"] for check in checks.values()), "checks": checks}


def now() -> dict[str, float | None]:
    """Return the present figures."""
    return history().present()


def upstream_state() -> dict[str, Any]:
    """Return the state of the outside API's client, with its calls since the start by their outcome."""
    return upstream.state() | {"outcomes": _by_label(UPSTREAM_CALLS, "outcome")}


def history() -> History:
    """Return what the worker keeps; of another process, such as a test's, an empty history."""
    if History not in current_wiring().kept:
        keep(current_app, History(figures.figures, figures.NAMES))
    return kept(History)


def _by_label(counter: Counter, label: str) -> dict[str, int]:
    samples = [sample for family in counter.collect() for sample in family.samples if sample.name.endswith("_total")]
    return {sample.labels[label]: int(sample.value) for sample in samples}

"""/metrics, for the networks that may read it."""

import platform
import shutil
import time
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy import text

from chassis.base.concurrency import current_mode
from chassis.base.environment import BASE_DIR, multiprocess_metrics
from chassis.base.service import CHASSIS_VERSION
from chassis.base.service import current as service
from chassis.db import backup, db, outcomes, state
from chassis.db.snapshot.install import read_installed
from chassis.db.state import FAILED_BOOT
from chassis.errors import Forbidden
from chassis.jobs import schedules, store
from chassis.observability.collectors import AskedCollector, Samples, install
from chassis.observability.metrics import BUILD_INFO
from chassis.security import audit, maintenance
from chassis.security.guard import public
from chassis.security.networks import allowed
from chassis.web import health
from chassis.wiring import current_settings

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Return all metrics in Prometheus' text format."""
    settings = current_settings()
    if not allowed(request.remote_addr, settings.metrics_allow):
        raise Forbidden("Metrics are open only to the networks in METRICS_ALLOW.")
    about = (service().slug, service().version, CHASSIS_VERSION, platform.python_version(), current_mode())
    BUILD_INFO.labels(*about).set(1)
    health.observe()  # so that app_ready is right where nobody else asks
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """Return what to read: this process, or the files of all workers and what the database knows."""
    if not multiprocess_metrics():
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(_collector)
    return registry


def _jobs() -> Samples:
    return [([kind, state], number) for kind, state, number in db.read(store.counts, unbounded=True)]


def _queue_age() -> Samples:
    return [([kind], age) for kind, age in db.read(lambda conn: store.oldest_queued(conn, time.time()))]


def _database_size() -> Samples:
    path = current_settings().sqlite_path
    if path is not None:
        return [([], float(path.stat().st_size))]
    return [([], db.read(lambda conn: conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one()))]


def _disk(name: str) -> Samples:
    path = current_settings().sqlite_path
    return [([], float(getattr(shutil.disk_usage(path.parent if path else BASE_DIR), name)))]


def _failed_boot() -> Samples:
    failed = db.read(lambda conn: state.get(conn, FAILED_BOOT))
    return [([failed["step"]], failed["at"])] if failed else []


def _snapshot() -> Any:
    return db.read(lambda conn: outcomes.of(conn, outcomes.SNAPSHOT_STEP))


def _snapshot_info() -> Samples:
    row = _snapshot()
    return [([row.outcome.partition(":")[0]], 1.0)] if row else []


def _snapshot_age() -> Samples:
    path = current_settings().sqlite_path
    installed = read_installed(path) if path is not None else None
    return [([], time.time() - datetime.fromisoformat(installed[1]).timestamp())] if installed else []


def _snapshot_duration() -> Samples:
    row = _snapshot()
    return [([], row.duration_seconds)] if row else []


def _maintenance() -> Samples:
    return [([], float(maintenance.reason() is not None))]


def _last_success() -> Samples:
    now = time.time()
    return [([s.kind], now - s.last_success_at) for s in schedules.listing() if s.last_success_at is not None]


def _last_failed() -> Samples:
    ended = {"failed": 1.0, "interrupted": 1.0, "succeeded": 0.0}
    return [([s.kind], ended[s.last_state]) for s in schedules.listing() if s.last_state in ended]


def _next_run() -> Samples:
    return [([s.kind], s.next_at) for s in schedules.listing() if s.next_at is not None]


def _backup_age() -> Samples:
    last = db.read(lambda conn: state.get(conn, backup.LAST))
    return [([], time.time() - last["made_at"])] if last else []


def _backup_size() -> Samples:
    last = db.read(lambda conn: state.get(conn, backup.LAST))
    return [([], last["size_bytes"])] if last else []


def _backup_proven_age() -> Samples:
    proofs = db.read(lambda conn: state.get(conn, backup.PROVEN))
    return [([], time.time() - max(proof["made_at"] for proof in proofs.values()))] if proofs else []


def _backup_failed() -> Samples:
    failed = db.read(backup.failed)
    return [([what], float(what in failed)) for what in ("backup", "drill")]


def _admins_made() -> Samples:
    made = db.read(lambda conn: state.get(conn, audit.ADMINS_MADE))
    return [([], float(made["count"]) if made else 0.0)]


_collector = AskedCollector(
    [
        ("app_jobs", "Jobs in the table.", ["kind", "state"], _jobs),
        ("app_job_queue_age_seconds", "How long the oldest ready job has waited.", ["kind"], _queue_age),
        ("app_database_size_bytes", "Size of the database.", [], _database_size),
        ("app_disk_free_bytes", "Free space on the database's disk.", [], lambda: _disk("free")),
        ("app_disk_size_bytes", "Size of the database's disk.", [], lambda: _disk("total")),
        ("app_boot_failed_timestamp_seconds", "Time of the last failed start, by step.", ["step"], _failed_boot),
        ("app_snapshot_info", "The outcome of the last boot's snapshot step; always 1.", ["outcome"], _snapshot_info),
        ("app_snapshot_age_seconds", "Time since the database was installed from a snapshot.", [], _snapshot_age),
        ("app_backup_age_seconds", "Time since the last backup was made.", [], _backup_age),
        ("app_backup_size_bytes", "Size of the last backup.", [], _backup_size),
        ("app_backup_proven_age_seconds", "Age of the newest verified backup.", [], _backup_proven_age),
        ("app_backup_failed", "1 if the last backup or verification failed.", ["what"], _backup_failed),
        ("app_snapshot_duration_seconds", "How long the last boot's snapshot step took.", [], _snapshot_duration),
        ("app_maintenance", "1 while the service refuses to change anything.", [], _maintenance),
        ("app_admins_made", "Grants of all rights to accounts or keys, in total.", [], _admins_made),
        (
            "app_schedule_last_success_age_seconds",
            "Time since the last successful scheduled run.",
            ["kind"],
            _last_success,
        ),
        ("app_schedule_last_failed", "1 if the last scheduled run failed.", ["kind"], _last_failed),
        ("app_schedule_next_run_timestamp_seconds", "Time of the next run of a kind of job.", ["kind"], _next_run),
    ]
)
install(_collector)

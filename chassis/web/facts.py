"""The gauges of /metrics that come from the database, which one scrape reads once."""

import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import has_app_context
from sqlalchemy import Connection, text

from chassis.base.environment import BASE_DIR
from chassis.db import backup, clock, db, outcomes, state
from chassis.db.snapshot.install import read_installed
from chassis.db.state import FAILED_BOOT
from chassis.files import store as file_store
from chassis.files.places import folder_of
from chassis.jobs import beat, queries, schedules
from chassis.observability.collectors import AskedCollector, Samples
from chassis.security import audit, maintenance
from chassis.wiring import Gauge, current_settings, current_wiring


@dataclass(frozen=True)
class Facts:
    """What the database knows of jobs, schedules, boots and backups."""

    jobs: list[Any]
    waiting: list[Any]
    workers: dict[str, beat.Seen]
    schedules: list[schedules.Schedule]
    failed_boot: Any
    snapshot: Any
    last_backup: Any
    proofs: Any
    failed_backups: Any
    admins_made: Any
    size_bytes: int
    files: tuple[int, int]


def _read(conn: Connection) -> Facts:
    sqlite = conn.dialect.name == "sqlite"
    return Facts(
        jobs=list(queries.counts(conn)),
        waiting=list(queries.oldest_queued(conn, clock.now())),
        workers=beat.by_kind(conn, clock.now()),
        schedules=schedules.known(conn),
        failed_boot=state.get(conn, FAILED_BOOT),
        snapshot=outcomes.of(conn, outcomes.SNAPSHOT_STEP),
        last_backup=state.get(conn, backup.LAST),
        proofs=state.get(conn, backup.PROVEN),
        failed_backups=backup.failed(conn),
        admins_made=state.get(conn, audit.ADMINS_MADE),
        size_bytes=0 if sqlite else conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one(),
        files=file_store.totals(conn),
    )


def _jobs(facts: Facts) -> Samples:
    return [([kind, state], number) for kind, state, number in facts.jobs]


def _queue_age(facts: Facts) -> Samples:
    return [([kind], age) for kind, age in facts.waiting]


def _workers(facts: Facts) -> Samples:
    return [([kind], float(seen.workers)) for kind, seen in facts.workers.items()]


def _worker_seen_age(facts: Facts) -> Samples:
    return [([kind], seen.seconds) for kind, seen in facts.workers.items() if seen.seconds is not None]


def _database_size(facts: Facts) -> Samples:
    path = current_settings().sqlite_path
    return [([], float(path.stat().st_size if path is not None else facts.size_bytes))]


def _disk(name: str) -> Samples:
    path = current_settings().sqlite_path
    return [([], float(getattr(shutil.disk_usage(path.parent if path else BASE_DIR), name)))]


def _files_free(_facts: Facts) -> Samples:
    """Return the free space where files are received, which is also where they are stored, unless a bucket has them."""
    folder = folder_of(current_settings())
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return [([], float(shutil.disk_usage(there).free))]


def _failed_boot(facts: Facts) -> Samples:
    failed = facts.failed_boot
    return [([failed["step"]], failed["at"])] if failed else []


def _snapshot_info(facts: Facts) -> Samples:
    row = facts.snapshot
    return [([row.outcome.partition(":")[0]], 1.0)] if row else []


def _snapshot_age(_facts: Facts) -> Samples:
    path = current_settings().sqlite_path
    installed = read_installed(path) if path is not None else None
    return [([], time.time() - datetime.fromisoformat(installed[1]).timestamp())] if installed else []


def _snapshot_duration(facts: Facts) -> Samples:
    row = facts.snapshot
    return [([], row.duration_seconds)] if row else []


def _maintenance(_facts: Facts) -> Samples:
    return [([], float(maintenance.reason() is not None))]


def _last_success(facts: Facts) -> Samples:
    now = clock.now()
    return [([s.kind], now - s.last_success_at) for s in facts.schedules if s.last_success_at is not None]


def _last_failed(facts: Facts) -> Samples:
    ended = {"failed": 1.0, "interrupted": 1.0, "succeeded": 0.0}
    return [([s.kind], ended[s.last_state]) for s in facts.schedules if s.last_state in ended]


def _next_run(facts: Facts) -> Samples:
    return [([s.kind], s.next_at) for s in facts.schedules if s.next_at is not None]


def _backup_age(facts: Facts) -> Samples:
    last = facts.last_backup
    return [([], time.time() - last["made_at"])] if last else []


def _backup_size(facts: Facts) -> Samples:
    last = facts.last_backup
    return [([], last["size_bytes"])] if last else []


def _backup_proven_age(facts: Facts) -> Samples:
    proofs = facts.proofs
    return [([], time.time() - max(proof["made_at"] for proof in proofs.values()))] if proofs else []


def _backup_failed(facts: Facts) -> Samples:
    return [([what], float(what in facts.failed_backups)) for what in ("backup", "drill")]


def _of_features() -> list[Gauge]:
    return current_wiring().gauges if has_app_context() else []


def _admins_made(facts: Facts) -> Samples:
    made = facts.admins_made
    return [([], float(made["count"]) if made else 0.0)]


collector = AskedCollector(
    lambda: db.read(_read, unbounded=True),
    [
        ("app_jobs", "Jobs in the table.", ["kind", "state"], _jobs),
        ("app_job_queue_age_seconds", "How long the oldest ready job has waited.", ["kind"], _queue_age),
        ("app_job_workers", "Living processes that run jobs of a kind.", ["kind"], _workers),
        (
            "app_job_worker_seen_age_seconds",
            "Time since a process that runs jobs of a kind was last seen.",
            ["kind"],
            _worker_seen_age,
        ),
        ("app_database_size_bytes", "Size of the database.", [], _database_size),
        ("app_disk_free_bytes", "Free space on the database's disk.", [], lambda _facts: _disk("free")),
        ("app_disk_size_bytes", "Size of the database's disk.", [], lambda _facts: _disk("total")),
        ("app_files", "Stored files.", [], lambda facts: [([], float(facts.files[0]))]),
        ("app_files_size_bytes", "Size of the stored files.", [], lambda facts: [([], float(facts.files[1]))]),
        ("app_files_disk_free_bytes", "Free space for files on their disk.", [], _files_free),
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
    ],
    _of_features,
)

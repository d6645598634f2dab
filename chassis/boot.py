"""Steps that run once per start, before any worker, in order; also as `python -m chassis.boot`."""

import argparse
import contextlib
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis import features, upkeep
from chassis.base.environment import BASE_DIR
from chassis.base.service import current as service
from chassis.db import Database, db, outcomes, schema, state
from chassis.db.engine import reason_of
from chassis.db.lock import only_one
from chassis.db.outcomes import Outcome
from chassis.db.schema import CORE, Branch, pending, upgrade
from chassis.db.snapshot.install import has_database
from chassis.errors import AppError, BootError
from chassis.observability import error_reports, output
from chassis.observability.logs import configure_logging
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


@dataclass(frozen=True)
class Step:
    """One step: its function returns a short description of its outcome, or raises AppError."""

    name: str
    run: Callable[[Settings, Database], str]


def fetch(settings: Settings, database: Database) -> str:
    """Fetch the database snapshot if the policy requires it."""
    url, target = settings.database_snapshot_url.get_secret_value(), settings.sqlite_path
    if not url or target is None or settings.database_snapshot_policy == "off":
        return "off"
    try:
        return _fetched(settings, url, target)
    except BootError as error:
        if settings.database_snapshot_policy != "refresh" or not _good(target, settings):
            raise
        log.error("snapshot_refused", reason=error.message, hint="The service starts with the existing database.")
        return f"{outcomes.REFUSED}: {error.message}"


def _fetched(settings: Settings, url: str, target: Path) -> str:
    from chassis.db.snapshot.fetch import fetch_snapshot  # not at the top, since the import is slow

    return fetch_snapshot(
        url=url,
        target=target,
        sha256=settings.database_snapshot_sha256,
        policy=settings.database_snapshot_policy,
        max_bytes=settings.database_snapshot_max_bytes,
        timeout_seconds=settings.database_snapshot_timeout_seconds,
        report=lambda text: log.info(text),
        check=lambda path, shown: _check_ours(path, settings, shown),
    ).outcome


def _check_ours(path: Path, settings: Settings, shown: str) -> None:
    """Raise BootError unless a file holds this service's tables and is not newer than the code."""
    from chassis.db.backup import BackupError, checks

    try:
        checks.ours(path, settings, shown)
    except BackupError as error:
        raise BootError(error.message) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise BootError(f"The database in {shown} cannot be read ({reason_of(error)}).") from None


def _good(target: Path, settings: Settings) -> bool:
    """Return whether there is a usable database to start with."""
    if not has_database(target):
        return False
    try:
        _check_ours(target, settings, target.name)
    except BootError:
        return False
    return True


def check_database(settings: Settings, database: Database) -> str:
    """Open the database, and take its write lock once."""
    from sqlalchemy import text

    try:
        database.write(lambda conn: conn.execute(text("SELECT 1")).scalar())
        if database.sqlite:
            database.read(lambda conn: conn.execute(text("SELECT count(*) FROM sqlite_master")).scalar())
    except SQLAlchemyError as error:
        where = settings.sqlite_path or "DATABASE_URL's server"
        reason = reason_of(error)
        raise BootError(f"The database at {where} cannot be used ({reason}): {_advice(reason)}.") from None
    return "reachable"


def _advice(reason: str) -> str:
    if "not a database" in reason or "malformed" in reason:
        return "restore it from a backup, or move the file away to start with an empty one"
    if "readonly" in reason or "unable to open" in reason:
        return "make the file and its folder writable for this user"
    if "full" in reason or "No space" in reason:
        return "free some space on its disk"
    if "no such" in reason or "already exists" in reason:
        return "its tables do not match its version; restore a backup"
    if "locked" in reason:
        return "another process has locked it; stop that process, or wait"
    return "check DATABASE_URL and that the server answers"


def check_redis(settings: Settings, _database: Database) -> str:
    """Look for Redis, if it is used; one that is away is waited for while the service runs, unless it is required."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return "off"
    from chassis.base.redis_check import check  # an extra

    reason = check(url, service().slug)
    if reason is None:
        return "reachable"
    if settings.needs_redis(production=settings.production):
        raise BootError(f"Redis does not answer ({reason}), and REQUIRE_REDIS_IN_PRODUCTION is on.")
    log.warning("redis_down", reason=reason, hint="Events reach other machines when Redis is back.")
    return "down"


def migrate(settings: Settings, database: Database) -> str:
    """Migrate the tables to what the code needs, after a backup of the existing ones."""
    from chassis.db.backup import before_migrations

    made = before_migrations(settings, database, branches(), lambda text: log.info(text))
    if made:
        log.info("backup_before_migrations", name=made)
    return ", ".join(upgrade(database, branches())) or "up to date"


def reset_stalled_jobs(settings: Settings, database: Database) -> str:
    """Reset the jobs whose owner is dead; those of other live processes are kept."""
    from chassis.jobs import store
    from chassis.jobs.recovery import reset_stalled

    if not database.read(store.running):
        return "none"
    upkeep.register()
    list(features.modules("jobs"))  # their kinds define what happens to a stalled job
    return f"{len(reset_stalled(database))} reset"


BOOT_STEPS = (
    Step(outcomes.SNAPSHOT_STEP, fetch),
    Step("check the database", check_database),
    Step("check Redis", check_redis),
    Step("migrate", migrate),
    Step("reset stalled jobs", reset_stalled_jobs),
)


def branches() -> list[Branch]:
    """Return the migrations of the core and of every feature."""
    return [CORE, *(Branch(name, folder) for name, folder in features.migrations())]


def boot(settings: Settings) -> None:
    """Run every step, one process at a time on a database; raise the first failure."""
    database = db
    if settings.production and not (settings.public_url or settings.allowed_hosts):
        log.warning(
            "every_host_is_answered", hint="Set PUBLIC_URL, and list any other names of this service in ALLOWED_HOSTS."
        )
    make_folder(settings)
    schema.know(branches())
    database.open(settings)
    started, waited = time.time(), []

    def on_wait() -> None:
        waited.append(True)
        log.info("waiting for another process that boots on this database")

    with _explained("take the lock", settings), only_one(settings, on_wait):
        found = [_timed(step, settings, database) for step in BOOT_STEPS]
        with _explained("record the result", settings):
            if not (waited and database.read(outcomes.last_at) >= started):  # the other process has stored its own
                database.write(lambda conn: outcomes.keep(conn, found))
    database.close()


@contextlib.contextmanager
def _explained(doing: str, settings: Settings) -> Iterator[None]:
    """Raise BootError with one sentence if the database or the disk refuses."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        where, reason = settings.sqlite_path or "DATABASE_URL's server", reason_of(error)
        raise BootError(f"The start failed at step {doing!r} ({reason}) on {where}: {_advice(reason)}.") from None


def make_folder(settings: Settings) -> None:
    """Create the folder of a SQLite database, without access for the machine's other users."""
    folder = settings.sqlite_path.parent if settings.sqlite_path else BASE_DIR
    try:
        folder.mkdir(mode=0o770, parents=True, exist_ok=True)
    except OSError as error:
        raise BootError(
            f"The folder {folder} cannot be created ({error.strerror}): create it, or set DATABASE_URL."
        ) from None


def _timed(step: Step, settings: Settings, database: Database) -> Outcome:
    started = time.monotonic()
    try:
        with _explained(step.name, settings):
            outcome = step.run(settings, database)
    except AppError:
        if step.run is not check_database and (settings.sqlite_path is None or has_database(settings.sqlite_path)):
            _remember_failure(step, database)
        raise
    seconds = round(time.monotonic() - started, 3)
    log.info("boot_step", step=step.name, outcome=outcome, duration_seconds=seconds)
    return step.name, outcome, seconds


def _remember_failure(step: Step, database: Database) -> None:
    """Store the failure for processes that serve from this database, since this start ends here."""
    with contextlib.suppress(SQLAlchemyError):  # the table may not exist yet, or the database may not be writable
        database.write(lambda conn: state.put(conn, state.FAILED_BOOT, {"step": step.name, "at": time.time()}))


def readiness() -> dict[str, Callable[[], str | None]]:
    """Return the readiness checks of the database: reachable, and migrated."""
    migrated = False

    def reachable() -> str | None:
        from sqlalchemy import text

        db.read(lambda conn: conn.execute(text("SELECT 1")).scalar())
        return None

    def up_to_date() -> str | None:
        nonlocal migrated
        missing = [] if migrated else pending(db, branches())
        migrated = not missing
        return f"migrations are pending: {', '.join(missing)}" if missing else None

    return {"database": reachable, "migrations": up_to_date}


def check(create_app: Callable[[Settings], object]) -> None:
    """Raise AppError if a start or a reload with the present files would fail."""
    settings = features.load()
    try:
        create_app(settings)
    except AppError:
        raise
    except Exception as error:
        raise BootError(f"The application cannot be imported: {type(error).__name__}: {error}") from error
    with _explained("look for migrations", settings):
        there = settings.sqlite_path is None or settings.sqlite_path.exists()
        missing = pending(db, branches()) if there else []
    if missing:
        log.warning("migrations are pending; the next start applies them", branches=missing)


def end_with_parent() -> None:
    """End this process as soon as gunicorn's master dies, if the master forked it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def run() -> None:
    """Boot in a process of its own, and exit with a status if a step fails."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))  # so that temporary files are removed
    try:
        settings = features.load()
        configure_logging(settings)
        error_reports.install(settings)
        end_with_parent()
        boot(settings)
    except AppError as error:
        log.error(error.message)
        output.tell(error.message)
        sys.exit(error.exit_status)
    except Exception:
        log.exception("boot_raised")
        output.tell("The start failed unexpectedly; see the log.")
        sys.exit(1)
    finally:
        error_reports.flush()


if __name__ == "__main__":
    argparse.ArgumentParser(description="Fetch, check and migrate the database, and reset stalled jobs.").parse_args()
    run()

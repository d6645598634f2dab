"""Runs the steps, one process at a time on a database, and stores their outcomes."""

import contextlib
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis.boot.migrations import branches
from chassis.boot.refusals import explained, make_folder
from chassis.boot.steps import BOOT_STEPS, Step, check_database
from chassis.db import Database, db, outcomes, schema, state
from chassis.db.lock import only_one
from chassis.db.outcomes import Outcome
from chassis.db.snapshot.install import has_database
from chassis.errors import AppError
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


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

    with explained("take the lock", settings), only_one(settings, on_wait):
        found = [_timed(step, settings, database) for step in BOOT_STEPS]
        with explained("record the result", settings):
            if not (waited and database.read(outcomes.last_at) >= started):  # the other process has stored its own
                database.write(lambda conn: outcomes.keep(conn, found))
    database.close()


def _timed(step: Step, settings: Settings, database: Database) -> Outcome:
    started = time.monotonic()
    try:
        with explained(step.name, settings):
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

"""The steps of a start, in order."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis import features, upkeep
from chassis.boot.migrations import migrate
from chassis.boot.redis import check_redis
from chassis.boot.refusals import advice
from chassis.boot.snapshot import fetch
from chassis.db import Database, outcomes, pool
from chassis.db.faults import reason_of
from chassis.errors import BootError
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")
# Of jobs, but here: a module in `chassis.jobs` would load all of that room, which a start without such a job can save.
A_RUNNING_JOB = "SELECT 1 FROM jobs WHERE state = 'running' LIMIT 1"


@dataclass(frozen=True)
class Step:
    """One step: its function returns a short description of its outcome, or raises AppError."""

    name: str
    run: Callable[[Settings, Database], str]


def check_database(settings: Settings, database: Database) -> str:
    """Open the database, and take its write lock once."""
    from sqlalchemy import text

    try:
        database.write(lambda conn: conn.execute(text("SELECT 1")).scalar())
        if database.sqlite:
            database.read(lambda conn: conn.execute(text("SELECT count(*) FROM sqlite_master")).scalar())
        elif warning := database.read(lambda conn: pool.check(conn, settings)):
            log.warning("database_connections", hint=warning)
    except SQLAlchemyError as error:
        where = settings.sqlite_path or "DATABASE_URL's server"
        reason = reason_of(error)
        raise BootError(f"The database at {where} cannot be used ({reason}): {advice(reason)}.") from None
    return "reachable"


def reset_stalled_jobs(settings: Settings, database: Database) -> str:
    """Reset the jobs whose owner is dead; those of other live processes are kept."""
    from sqlalchemy import text

    if not database.read(lambda conn: conn.execute(text(A_RUNNING_JOB)).first()):
        return "none"
    from chassis.jobs.recovery import reset_stalled
    from chassis.mail import jobs as mail_jobs

    upkeep.register()
    mail_jobs.register()
    list(features.modules("jobs"))  # their kinds define what happens to a stalled job
    return f"{len(reset_stalled(database))} reset"


BOOT_STEPS = (
    Step(outcomes.SNAPSHOT_STEP, fetch),
    Step("check the database", check_database),
    Step("check Redis", check_redis),
    Step("migrate", migrate),
    Step("reset stalled jobs", reset_stalled_jobs),
)

"""The migrations of the core and of every feature: the step that applies them, and the readiness check."""

from collections.abc import Callable
from importlib import import_module

import structlog

from chassis import features
from chassis.db import Database, db
from chassis.db.schema import CORE, Branch, pending, upgrade
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


def branches() -> list[Branch]:
    """Return the migrations of the core and of every feature."""
    return [CORE, *(Branch(name, folder) for name, folder in features.migrations())]


def load_tables() -> None:
    """Import the tables of every room and feature, for checks of their columns."""
    for room in ("feedback", "files", "jobs", "realtime", "security"):
        import_module(f"chassis.{room}.tables")
    list(features.modules("tables"))


def migrate(settings: Settings, database: Database) -> str:
    """Migrate the tables to what the code needs, after a backup of the existing ones."""
    if not pending(database, branches()):
        return "up to date"
    from chassis.db.backup import before_migrations  # not at the top, since most starts need none of it

    made = before_migrations(settings, database, branches(), lambda text: log.info(text))
    if made:
        log.info("backup_before_migrations", name=made)
    return ", ".join(upgrade(database, branches()))


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

"""Makes a backup before migrations."""

from datetime import datetime

from sqlalchemy import inspect

from chassis.db import Database, outcomes
from chassis.db.backup.make import make
from chassis.db.backup.model import Backup, BackupError, Report
from chassis.db.backup.retention import listing
from chassis.db.schema import CORE, Branch, pending
from chassis.db.snapshot.install import read_installed
from chassis.errors import AppError
from chassis.settings import Settings


def before_migrations(settings: Settings, database: Database, branches: list[Branch], report: Report) -> str | None:
    """Make a backup if migrations are pending on existing tables; return its name.

    Makes no backup with MIGRATE_BACKUP=false, on PostgreSQL, of a snapshot that has not been served yet, and if the
    newest backup has all that was written, as when a migration fails at every start.
    """
    path = settings.sqlite_path
    if not settings.migrate_backup or path is None or not pending(database, branches):
        return None
    has_tables = database.read(lambda conn: inspect(conn).has_table(CORE.version_table))
    if not has_tables or _is_fresh_snapshot(settings, database):
        return None
    try:
        present = _newest_if_current(settings)
        return present.name if present else make(settings, report=report).name
    except AppError as error:
        raise BackupError(
            f"Migrations are pending, and the backup before them failed: {error.message} "
            "With MIGRATE_BACKUP=false they are applied without one."
        ) from None


def _newest_if_current(settings: Settings) -> Backup | None:
    """Return the newest backup if nothing has been written to the database since."""
    path = settings.sqlite_path
    assert path is not None
    files = [path, path.with_name(f"{path.name}-wal")]
    written = max(file.stat().st_mtime for file in files if file.exists() and file.stat().st_size)
    newest = next(iter(listing(settings)), None)
    return newest if newest and newest.made_at > written else None


def _is_fresh_snapshot(settings: Settings, database: Database) -> bool:
    """Return whether no start has completed since the database was installed from a snapshot."""
    assert settings.sqlite_path is not None
    installed = read_installed(settings.sqlite_path)
    return installed is not None and (
        database.read(outcomes.last_at) < datetime.fromisoformat(installed[1]).timestamp()
    )

"""The first step: fetches the database snapshot."""

import sqlite3
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chassis.boot.migrations import load_tables
from chassis.db import Database, outcomes
from chassis.db.faults import reason_of
from chassis.db.snapshot.install import has_database
from chassis.errors import BootError
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


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

    load_tables()
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

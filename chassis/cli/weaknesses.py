"""The checks of `flask doctor`. `Settings.problems` has those that prevent a start in production."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from chassis import manifest
from chassis.base.environment import BASE_DIR
from chassis.base.times import DAY_SECONDS
from chassis.boot import branches
from chassis.cli.access_weaknesses import debugging, doors, secrets_in_sight, somebody_can_enter, unneeded_keys, user
from chassis.cli.file_weaknesses import database_file, secret_files, written_files
from chassis.cli.node_weaknesses import node_folders
from chassis.cli.weakness import Check, Weakness
from chassis.db import db
from chassis.db.faults import reason_of
from chassis.db.schema import pending
from chassis.errors import AppError
from chassis.settings import Settings, pace

LEAST_FREE_BYTES = 500_000_000


def database(settings: Settings) -> Iterator[Weakness]:
    """Check that the database is available and migrated; the first start creates a missing file."""
    if settings.sqlite_path and not settings.sqlite_path.exists():
        return
    try:
        missing = pending(db, branches())
    except SQLAlchemyError as error:
        yield Weakness("DATABASE_URL", f"does not work ({reason_of(error)})", "Check that the server answers.")
        return
    except AppError as error:
        yield Weakness("database", "does not match this code", error.message)
        return
    if missing:
        yield Weakness("database", f"lacks migrations: {', '.join(missing)}", "flask db upgrade")


def upstream_pace(settings: Settings) -> Iterator[Weakness]:
    """Check whether several machines or processes would together exceed the pace of the outside API."""
    if excess := pace.excess(settings):
        yield Weakness("UPSTREAM_REQUESTS_PER_SECOND", excess, pace.FIX)


def mail_server(settings: Settings) -> Iterator[Weakness]:
    """Check that the mail server accepts a connection, its encryption, and the user."""
    from chassis.mail import transport

    if settings.sends_mail and (why := transport.check(settings)):
        yield Weakness("SMTP_URL", f"does not work ({why})", "Correct it, and try `flask mail test ADDRESS`.")


def machine(settings: Settings) -> Iterator[Weakness]:
    """Check the disk space and the clock, which decides when keys and sessions expire."""
    folder = settings.sqlite_path.parent if settings.sqlite_path else BASE_DIR
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        yield Weakness(str(folder), f"has {free // 1_000_000} MB left", "Free some space, or move the database.")
    if time.time() < Path(__file__).stat().st_mtime - DAY_SECONDS:
        yield Weakness(
            "clock", "is set to a time before this code was installed", "Set the clock, and keep it right with NTP."
        )


def chassis(_settings: Settings) -> Iterator[Weakness]:
    """Look for edited files of the chassis, which an upgrade would replace."""
    for edit in manifest.edits():
        yield Weakness(
            f"chassis/{edit}", "differs from its manifest", "Move the change to app/: an upgrade overwrites it."
        )


CHECKS: tuple[Check, ...] = (
    secret_files,
    database_file,
    written_files,
    secrets_in_sight,
    debugging,
    doors,
    somebody_can_enter,
    user,
    database,
    unneeded_keys,
    upstream_pace,
    mail_server,
    machine,
    node_folders,
    chassis,
)

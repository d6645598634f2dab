"""Turns errors of the disk and the database into sentences."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from chassis.db.backup.model import BackupError
from chassis.db.disk import DISK_FULL
from chassis.db.faults import reason_of


@contextmanager
def explained(folder: Path, comfort: str) -> Iterator[None]:
    """Raise BackupError for errors of the disk or SQLite; `comfort` says what is unchanged."""
    try:
        yield
    except OSError as error:
        raise BackupError(_sentence(error.errno in DISK_FULL, folder, error.strerror or str(error), comfort)) from None
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise BackupError(_sentence(full, folder, str(error), comfort)) from None
    except SQLAlchemyError as error:
        raise BackupError(_sentence("is full" in str(error), folder, reason_of(error), comfort)) from None


def _sentence(full: bool, folder: Path, why: str, comfort: str) -> str:
    if full:
        return f"The disk is too full: free some space in {folder}, or change BACKUP_TO. {comfort}"
    return f"The operation failed in {folder} ({why}): check the folder and the database. {comfort}"

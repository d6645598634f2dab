"""What a start says when the database or the disk refuses, and how to help it."""

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from chassis.base.environment import BASE_DIR
from chassis.db.engine import reason_of
from chassis.errors import BootError
from chassis.settings import Settings


@contextlib.contextmanager
def explained(doing: str, settings: Settings) -> Iterator[None]:
    """Raise BootError with one sentence if the database or the disk refuses."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        where, reason = settings.sqlite_path or "DATABASE_URL's server", reason_of(error)
        raise BootError(f"The start failed at step {doing!r} ({reason}) on {where}: {advice(reason)}.") from None


def advice(reason: str) -> str:
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


def make_folder(settings: Settings) -> None:
    """Create the folder of a SQLite database, without access for the machine's other users."""
    folder = settings.sqlite_path.parent if settings.sqlite_path else BASE_DIR
    try:
        folder.mkdir(mode=0o770, parents=True, exist_ok=True)
    except OSError as error:
        raise BootError(
            f"The folder {folder} cannot be created ({error.strerror}): create it, or set DATABASE_URL."
        ) from None

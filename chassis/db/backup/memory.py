"""State of the backups, kept in the database for all processes: the last one, the drills, the failures."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from chassis.db import db, state
from chassis.db.backup.model import Made
from chassis.errors import AppError
from chassis.settings import Settings

LAST, PROVEN, FAILED = "backup_last", "backup_proven", "backup_failed"
MOST_PROOFS = 100
T = TypeVar("T")


def remember_made(settings: Settings, made: Made) -> None:
    """Record the last backup, and clear the failure."""
    last = {"name": made.name, "place": made.place, "made_at": made.made_at, "size_bytes": made.size_bytes}
    last |= {"sha256": made.sha256, "duration_seconds": made.duration_seconds}

    def write(conn: Connection) -> None:
        state.put(conn, LAST, last)
        _put_failure(conn, "backup", None)

    _tried(settings, lambda: db.write(write))


def remember_proof(settings: Settings, name: str, made_at: float, sha256: str) -> None:
    """Record that a backup was restored as a test."""

    def write(conn: Connection) -> None:
        proofs = state.get(conn, PROVEN) or {}
        proofs[name] = {"made_at": made_at, "proven_at": time.time(), "sha256": sha256}
        newest = sorted(proofs, key=lambda one: float(proofs[one]["made_at"]))[-MOST_PROOFS:]
        state.put(conn, PROVEN, {one: proofs[one] for one in newest})
        _put_failure(conn, "drill", None)

    _tried(settings, lambda: db.write(write))


def proofs(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return {name: {made_at, proven_at, sha256}} of the backups that were restored as a test."""
    return _tried(settings, lambda: db.read(lambda conn: state.get(conn, PROVEN))) or {}


def failed(conn: Connection) -> dict[str, dict[str, Any]]:
    """Return {"backup" or "drill": {at, why}} for each whose last attempt failed."""
    return state.get(conn, FAILED) or {}


@contextmanager
def failure_remembered(settings: Settings, what: str) -> Iterator[None]:
    """Record why the block failed, until the next success."""
    try:
        yield
    except AppError as error:
        why = {"at": time.time(), "why": error.message}
        _tried(settings, lambda: db.write(lambda conn: _put_failure(conn, what, why)))
        raise


def _put_failure(conn: Connection, what: str, why: dict[str, Any] | None) -> None:
    others = {name: told for name, told in failed(conn).items() if name != what}
    state.put(conn, FAILED, others | ({what: why} if why else {}))


def _tried(settings: Settings, work: Callable[[], T]) -> T | None:
    """Return work(), or None if the database refuses: no table before migrations, a full disk, no connection."""
    if settings.sqlite_path is not None and not settings.sqlite_path.is_file():
        return None
    try:
        return work()
    except SQLAlchemyError:
        return None

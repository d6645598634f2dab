"""Installs a verified snapshot as the database, in one step that cannot leave the database missing."""

import glob
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from chassis.db.disk import PRIVATE
from chassis.errors import BootError

COMPANIONS = ("-wal", "-shm", "-journal")
RECORD = "CREATE TABLE snapshot_installed (sha256 TEXT, installed_at TEXT, size_bytes INTEGER)"


def temporary_path(target: Path) -> Path:
    """Return the path of the download; always the same, so that the leftover of a killed start is found."""
    return target.with_name(f".{target.name}.download")


def _copy_path(target: Path) -> Path:
    return target.with_name(f".{target.name}.copy")


def has_database(target: Path) -> bool:
    """Return whether there is a database at `target` that must not be lost."""
    return target.is_file() and target.stat().st_size > 0


def remove_leftovers(target: Path) -> None:
    """Remove the files that a killed start left in the folder."""
    for path in (temporary_path(target), _copy_path(target)):
        path.unlink(missing_ok=True)
        _remove_companions(path)
    for kept in target.parent.glob(f"{glob.escape(target.stem)}-[0-9]*T[0-9]*Z*.db"):
        # Killed between the link and the rename: one live database with two names would be written through both.
        if target.exists() and kept.samefile(target) and not kept.is_symlink():
            kept.unlink()


def read_installed(target: Path) -> tuple[str, str] | None:
    """Return (sha256, installed_at) of the snapshot that the database came from, or None."""
    if not has_database(target):
        return None
    try:
        with closing(sqlite3.connect(f"{target.resolve().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            row = connection.execute("SELECT sha256, installed_at FROM snapshot_installed").fetchone()
    except sqlite3.DatabaseError:
        return None
    return (str(row[0]), str(row[1])) if row else None


def verify(path: Path, shown: str) -> None:
    """Raise BootError unless the file is a valid database; switches it out of WAL mode, so that it is one file."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            problem = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        problem = str(error)
    if problem != "ok":
        raise BootError(
            f"The snapshot at {shown} is a damaged database ({' '.join(problem.split())}): "
            "make it again with `VACUUM INTO` or `.backup` and upload it."
        )


def record(path: Path, sha256: str) -> None:
    """Write the snapshot's checksum into the database; replaces the record that the snapshot may contain."""
    now, size = datetime.now(UTC).isoformat(timespec="seconds"), path.stat().st_size
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DROP TABLE IF EXISTS snapshot_installed")
            connection.execute(RECORD)
            connection.execute("INSERT INTO snapshot_installed VALUES (?, ?, ?)", (sha256, now, size))
            connection.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        raise BootError(f"The snapshot cannot be completed ({error}): check the space on the disk.") from None
    sync(path)


def install(new: Path, target: Path) -> Path | None:
    """Rename `new` to `target`; return where the old database is kept, or None if there was none."""
    if not has_database(target):
        _remove_companions(target)  # a leftover -wal would be replayed into the new database
        new.chmod(PRIVATE)
        new.replace(target)
        sync(target.parent)
        return None
    shutil.copymode(target, new)
    with to_itself(target):
        kept = _keep(target)
        try:
            new.replace(target)
        except BaseException:
            kept.unlink()
            raise
    sync(target.parent)
    return kept


@contextmanager
def to_itself(target: Path) -> Iterator[None]:
    """Merge the write-ahead log into the database and lock it, so that nothing writes to it while it moves.

    Raises BootError if another process has it open, or if it cannot be read.
    """
    with closing(sqlite3.connect(target, isolation_level=None, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            raise BootError(_unmovable(error, target)) from None
        yield


def _unmovable(error: sqlite3.DatabaseError, target: Path) -> str:
    if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"The database {target.name} is open in another process: stop that process first (a start with "
        "DATABASE_SNAPSHOT_POLICY=if-missing replaces nothing)."
    return f"The existing database {target} cannot be read ({error}): move it away, then start again."


def _keep(target: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    for more in itertools.count(1):
        kept = target.with_name(f"{target.stem}-{stamp}{'' if more == 1 else f'-{more}'}.db")
        if kept.exists():
            continue
        try:
            os.link(target, kept)
        except OSError:  # a file system without hard links
            _copy(target, kept)
        return kept
    raise AssertionError("unreachable")


def _copy(target: Path, kept: Path) -> None:
    copy = _copy_path(target)
    shutil.copy2(target, copy)
    sync(copy)
    copy.replace(kept)


def _remove_companions(path: Path) -> None:
    for suffix in COMPANIONS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Sync a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Checks that an unpacked database is a valid backup of this service."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import SecretStr

from chassis.db import Database, schema
from chassis.db.backup.copy import problem_of
from chassis.db.backup.model import BackupError
from chassis.errors import AppError
from chassis.settings import Settings


def sound(path: Path, shown: str) -> None:
    """Raise BackupError unless every page, index and foreign key is valid; switches the file out of WAL mode."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            problem = problem_of(path, "integrity_check")
            broken = None if problem else connection.execute("PRAGMA foreign_key_check").fetchone()
        except sqlite3.DatabaseError as error:
            problem, broken = str(error), None
    if broken:
        problem = f"a row of {broken[0]} refers to a missing row of {broken[2]}"
    if problem:
        raise BackupError(f"The database in {shown} is damaged ({problem}): take another backup.")


def url_of(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def row_counts(path: Path) -> dict[str, int]:
    """Return {table: rows} for all tables except SQLite's own."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    with closing(sqlite3.connect(path)) as connection:
        names = [str(name) for (name,) in connection.execute(listed)]
        quoted = [(name, '"' + name.replace('"', '""') + '"') for name in names]
        return {name: connection.execute(f"SELECT count(*) FROM {as_sql}").fetchone()[0] for name, as_sql in quoted}  # noqa: S608


def pending(url: str, tables: Collection[str], settings: Settings, shown: str) -> list[str]:
    """Return the migrations that the database lacks; raise if it is newer than the code or not this service's."""
    with _opened(url, tables, settings, shown) as database:
        return schema.pending(database, schema.known())


def ours(path: Path, settings: Settings, shown: str) -> None:
    """Raise BackupError unless a SQLite file has this service's tables and is not newer than the code."""
    with closing(sqlite3.connect(path)) as connection:
        names = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    pending(url_of(path), names, settings, shown)


def migrate(url: str, tables: Collection[str], settings: Settings, shown: str) -> list[str]:
    """Migrate the database to the code's newest revision; return the applied migrations."""
    with _opened(url, tables, settings, shown) as database:
        return schema.upgrade(database, schema.known())


@contextmanager
def _opened(url: str, tables: Collection[str], settings: Settings, shown: str) -> Iterator[Database]:
    if schema.CORE.version_table not in tables:
        raise BackupError(
            f"The database in {shown} does not belong to this service: it has no {schema.CORE.version_table}."
        )
    database = Database()
    database.open(settings.model_copy(update={"database_url": SecretStr(url)}))
    try:
        if missing := schema.lacking(database, schema.known()):
            raise BackupError(f"The database in {shown} lacks tables of its version: {', '.join(missing)}.")
        if missing := schema.lacking_columns(database, schema.known()):
            raise BackupError(f"The database in {shown} lacks columns of its version: {', '.join(missing)}.")
        if unversioned := schema.unversioned(database, schema.known()):
            raise BackupError(f"The database in {shown} has tables without a version: {', '.join(unversioned)}.")
        yield database
    except BackupError:
        raise
    except AppError as error:
        raise BackupError(f"{shown}: {error.message}") from None
    finally:
        database.close()

"""Copies all rows to an empty database: from SQLite to PostgreSQL when a service grows, and back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import SecretStr
from sqlalchemy import Connection, MetaData, Table, false, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from chassis.base import database_url
from chassis.db import Database, metadata
from chassis.db.faults import reason_of
from chassis.db.schema import Branch, lacking, pending, upgrade
from chassis.errors import AppError
from chassis.settings import Settings

AT_ONCE = 500  # rows in a transaction
TOLD_ROWS = 10_000  # between two reports of a table
Report = Callable[[str], None]


class CopyError(AppError):
    """The databases cannot be copied; the source is unchanged, and the target empty as before."""

    code = "copy_failed"


def copy(source: Database, settings: Settings, to: str, branches: list[Branch], report: Report) -> dict[str, int]:
    """Copy every table that the code knows to the database at the URL `to`; return the number of rows by table.

    Raises CopyError unless the source is migrated, the target is empty, and in the end both have the same rows.
    """
    if problem := database_url.problem(url := database_url.normal(to)):
        raise CopyError(f"--to {problem}.")
    if behind := [*pending(source, branches), *lacking(source, branches)]:
        raise CopyError(f"The tables are not those of this code ({', '.join(behind)}): run `flask db upgrade` first.")
    target = Database()
    target.open(settings.model_copy(update={"database_url": SecretStr(url), "database_read_url": SecretStr("")}))
    try:
        with _explained("The target cannot be used"):
            _check_empty(target)
        with _emptied_on_failure(target):
            upgrade(target, branches)
            return _copied(source, target, report)
    finally:
        target.close()


def _copied(source: Database, target: Database, report: Report) -> dict[str, int]:
    tables = metadata.sorted_tables
    target.write(lambda conn: [conn.execute(table.delete()) for table in reversed(tables)])  # rows of the migrations
    with _snapshot(source) as reading:
        for name in sorted(set(inspect(reading).get_table_names()) - {table.name for table in tables}):
            if not name.startswith("alembic_version"):
                report(f"left out  {name}: this code does not know the table")
        counts = {table.name: _copy_table(reading, target, table, report) for table in tables}
    if not target.sqlite:
        target.write(lambda conn: _advance(tables, conn))
    _compare("The copy has", counts, target)
    _compare("The service wrote during the copy: stop it and copy again. Now there are", counts, source)
    return counts


def _copy_table(reading: Connection, target: Database, table: Table, report: Report) -> int:
    total, done = _count(reading, table), 0
    found = reading.execution_options(yield_per=AT_ONCE).execute(select(table)).mappings()
    for part in found.partitions(AT_ONCE):
        rows = [dict(row) for row in part]
        with _explained(f"A row of the table {table.name} cannot be stored"):
            target.write(lambda conn, rows=rows: conn.execute(table.insert(), rows))  # type: ignore[misc]
        done += len(rows)
        if done % TOLD_ROWS < len(rows):
            report(f"{table.name}: {done:,} of {total:,} rows")
    return done


@contextmanager
def _snapshot(source: Database) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database until it is closed."""
    with source.scanner.connect() as connection:
        if not source.sqlite:
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def _check_empty(target: Database) -> None:
    there = target.read(lambda conn: inspect(conn).get_table_names())
    if there:
        raise CopyError(f"The target is not empty (it has the table {min(there)}): name an empty database.")


@contextmanager
def _emptied_on_failure(target: Database) -> Iterator[None]:
    """Drop what this copy has created when it fails, so that it can be repeated."""
    try:
        yield
    except BaseException:
        target.write(_drop_all)
        raise


def _drop_all(conn: Connection) -> None:
    found = MetaData()
    found.reflect(conn)
    found.drop_all(conn)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise CopyError(f"{what} ({reason_of(error)}): check it, and copy again.") from None


def _compare(sentence: str, counts: dict[str, int], database: Database) -> None:
    tables = metadata.sorted_tables
    now = database.read(lambda conn: {table.name: _count(conn, table) for table in tables}, unbounded=True)
    changed = [f"{name} {now[name]:,} instead of {count:,}" for name, count in counts.items() if now[name] != count]
    if changed:
        raise CopyError(f"{sentence} different numbers of rows: {', '.join(changed)}.")


def _count(conn: Connection, table: Table) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def _advance(tables: list[Table], conn: Connection) -> None:
    """Let PostgreSQL number new rows after the copied ones."""
    numbered = [table.autoincrement_column for table in tables]
    for column in [column for column in numbered if column is not None]:
        serial = func.pg_get_serial_sequence(column.table.name, column.name)
        following = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        conn.execute(select(func.setval(serial, following, false())))

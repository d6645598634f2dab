"""Compares tables as the code declares them with those that migrations make in an empty database."""

import tempfile
from collections.abc import Collection, Iterable
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.operations.ops import MigrateOperation, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, Table, UniqueConstraint, inspect

from chassis.db import Database, metadata
from chassis.db.schema import CORE, Branch, upgrade
from chassis.errors import BadRequest
from chassis.settings import Settings


def changes(branch: Branch, declared: Iterable[str]) -> list[MigrateOperation]:
    """Return what makes the tables of a branch's newest revision those that are declared.

    A table of the branch that is not declared any more is dropped. Raises BadRequest for a change that alembic does not
    see or SQLite cannot make: of a primary key, or of UNIQUE without a name.
    """
    revisions = branch.revisions()
    ours = {*declared, *(branch.tables(revisions[-1]) if revisions else ())}
    with tempfile.TemporaryDirectory() as folder:
        database = Database()
        database.open(Settings.model_validate({"database_url": f"sqlite:///{folder}/app.db"}))
        try:
            upgrade(database, [CORE, branch] if revisions and branch != CORE else [CORE])
            with database.writer.connect() as conn:
                _refuse_unseen(inspect(conn), ours)
                return _compared(conn, ours)
        finally:
            database.close()


def _compared(conn: Connection, ours: Collection[str]) -> list[MigrateOperation]:
    def included(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in ours

    options = {"include_object": included, "compare_type": True, "compare_server_default": _other_default}
    found = produce_migrations(MigrationContext.configure(conn, opts=options), metadata).upgrade_ops
    return list(_flat(found.ops if found else ()))


def _other_default(
    _context: Any, _there: Any, _here: Any, found: str | None, _declared: Any, rendered: str | None
) -> bool:
    """Return whether two defaults differ; alembic takes an empty text for another one than an empty text."""
    return _plain(found) != _plain(rendered)


def _plain(default: str | None) -> str | None:
    return None if default is None else default.strip("()'\"")


def _flat(operations: Iterable[MigrateOperation]) -> Iterable[MigrateOperation]:
    for operation in operations:
        if isinstance(operation, ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation


def _refuse_unseen(there: Inspector, ours: Collection[str]) -> None:
    for name in sorted({*ours} & {*metadata.tables} & {*there.get_table_names()}):
        table = metadata.tables[name]
        if there.get_pk_constraint(name)["constrained_columns"] != [column.name for column in table.primary_key]:
            raise BadRequest(f"No file was written. The primary key of {name} changed: write this migration by hand.")
        if _unnamed(table) != {
            tuple(one["column_names"]) for one in there.get_unique_constraints(name) if not one["name"]
        }:
            raise BadRequest(
                f"No file was written. A UNIQUE of {name} changed and has no name: "
                f'declare Index("{name}_by_...", ..., unique=True) instead.'
            )


def _unnamed(table: Table) -> set[tuple[str | None, ...]]:
    """Return the columns of the unique constraints that are declared without a name."""
    unique = [one for one in table.constraints if isinstance(one, UniqueConstraint) and not one.name]
    return {tuple(column.name for column in one.columns) for one in unique}

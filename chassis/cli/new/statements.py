"""Writes alembic's operations as the statements of a migration, in this project's form."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import Constraint, SchemaItem
from sqlalchemy.types import TypeEngine

from chassis.cli.new.rendering import LINE
from chassis.db import metadata
from chassis.errors import BadRequest

TYPE_LENGTH = re.compile(r"\(length=(\d+)\)$")
INDENT = "    "


def statements(operations: Iterable[ops.MigrateOperation]) -> list[str]:
    """Return a statement for each operation; raise BadRequest for one that has to be written by hand."""
    found = list(operations)
    gone = {one.table_name for one in found if isinstance(one, ops.DropTableOp)}
    dropped = {(one.table_name, one.column_name) for one in found if isinstance(one, ops.DropColumnOp)}
    kept = [one for one in found if not _goes_with(one, gone, dropped)]
    return [text for one in kept for text in _statement(one)]


def _goes_with(one: ops.MigrateOperation, gone: set[str], dropped: set[tuple[str, str]]) -> bool:
    """Return whether a database drops this by itself: an index of a dropped table, a reference of a dropped column."""
    if isinstance(one, ops.DropIndexOp):
        return one.table_name in gone
    if isinstance(one, ops.DropConstraintOp) and one.constraint_type == "foreignkey":
        made = one.reverse()
        columns = made.local_cols if isinstance(made, ops.CreateForeignKeyOp) else []
        return one.table_name in gone or all((one.table_name, column) in dropped for column in columns)
    return False


def _statement(one: ops.MigrateOperation) -> Iterator[str]:
    match one:
        case ops.CreateTableOp():
            yield _exploded("op.create_table", [_quoted(one.table_name), *_items(metadata.tables[one.table_name])])
        case ops.DropTableOp():
            yield _call("op.drop_table", [_quoted(one.table_name)])
        case ops.CreateIndexOp():
            unique = ["unique=True"] if one.unique else []
            columns = f"[{', '.join(map(_element, one.columns))}]"
            yield _call("op.create_index", [_quoted(one.index_name), _quoted(one.table_name), columns, *unique])
        case ops.DropIndexOp():
            yield _call("op.drop_index", [_quoted(one.index_name), _quoted(one.table_name)])
        case ops.AddColumnOp():
            _check_added(one)
            yield _call("op.add_column", [_quoted(one.table_name), _column(one.column, references=False)])
        case _:
            yield _in_batch(one)


def _in_batch(one: ops.MigrateOperation) -> str:
    """Return a statement for a change for which SQLite needs a new table, which alembic's batch makes."""
    table = str(getattr(one, "table_name", None) or getattr(one, "source_table", ""))
    return f"with op.batch_alter_table({_quoted(table)}) as batch:\n{INDENT}{_indented(_change(one, table))}"


def _change(one: ops.MigrateOperation, table: str) -> str:
    match one:
        case ops.DropColumnOp():
            return _call("batch.drop_column", [_quoted(one.column_name)])
        case ops.AlterColumnOp():
            return _call("batch.alter_column", [_quoted(one.column_name), *_altered(one)])
        case ops.CreateForeignKeyOp():
            name = one.constraint_name or f"{table}_{one.local_cols[0]}_fkey"
            columns = [_list(one.local_cols), _list(one.remote_cols), *_options(one.kw)]
            return _call("batch.create_foreign_key", [_quoted(str(name)), _quoted(one.referent_table), *columns])
        case ops.CreateUniqueConstraintOp() if one.constraint_name:
            return _call("batch.create_unique_constraint", [_quoted(str(one.constraint_name)), _list(one.columns)])
        case ops.DropConstraintOp() if one.constraint_name:
            name = _quoted(str(one.constraint_name))
            return _call("batch.drop_constraint", [name, f'type_="{one.constraint_type}"'])
    raise BadRequest(f"No file was written. A change of {table} has to be written by hand: {type(one).__name__}.")


def _altered(one: ops.AlterColumnOp) -> Iterator[str]:
    if one.modify_type is not None:
        yield f"type_={_type(one.modify_type)}"
    if one.modify_nullable is not None:
        yield f"nullable={one.modify_nullable}"
    if one.modify_server_default is not False:
        yield f"server_default={_default(one.modify_server_default)}"


def _check_added(one: ops.AddColumnOp) -> None:
    column, where = one.column, f"{one.table_name}.{one.column.name}"
    if not column.nullable and column.server_default is None:
        raise BadRequest(
            f"No file was written. {where} has no value in rows that exist: give it a server_default, or nullable=True."
        )
    if column.unique:
        raise BadRequest(
            f'No file was written. SQLite cannot add {where} as unique: declare Index("...", unique=True) instead.'
        )


def _items(table: Table) -> list[str]:
    """Return the columns and constraints of a declared table; indexes are statements of their own."""
    columns = [_column(column, references=True) for column in table.columns]
    return [*columns, *sorted(text for one in table.constraints if (text := _constraint(one)))]


def _column(column: Column[Any], *, references: bool) -> str:
    parts = [_quoted(column.name), _type(column.type)]
    for key in column.foreign_keys if references else ():
        parts.append(f"sa.ForeignKey({', '.join([_quoted(key.target_fullname), *_options(vars(key))])})")
    if column.primary_key:
        parts += ["primary_key=True", *(["autoincrement=False"] if column.autoincrement is False else [])]
    elif not column.nullable:
        parts.append("nullable=False")
    if column.unique:
        parts.append("unique=True")
    if column.server_default is not None:
        parts.append(f"server_default={_default(column.server_default)}")
    return f"sa.Column({', '.join(parts)})"


def _constraint(one: Constraint) -> str:
    """Return a constraint of several columns; those of one column are written with it."""
    name = [f"name={_quoted(str(one.name))}"] if one.name else []
    if isinstance(one, CheckConstraint):
        return f"sa.CheckConstraint({', '.join([_quoted(str(one.sqltext)), *name])})"
    if isinstance(one, UniqueConstraint) and (one.name or len(one.columns) > 1):
        return f"sa.UniqueConstraint({', '.join([*(_quoted(column.name) for column in one.columns), *name])})"
    if isinstance(one, ForeignKeyConstraint) and len(one.elements) > 1:
        there = _list([key.target_fullname for key in one.elements])
        return f"sa.ForeignKeyConstraint({', '.join([_list(one.column_keys), there, *name, *_options(vars(one))])})"
    return ""


def _options(given: Any) -> list[str]:
    return [f"{name}={_quoted(given[name])}" for name in ("ondelete", "onupdate") if given.get(name)]


def _type(one: TypeEngine[Any]) -> str:
    if not type(one).__module__.startswith("sqlalchemy.sql."):
        raise BadRequest(f"No file was written. {one!r} is a type of one database: write this migration by hand.")
    return "sa." + TYPE_LENGTH.sub(r"(\1)", repr(one)).removesuffix("()")


def _default(given: Any) -> str:
    value = getattr(given, "arg", given)
    return "None" if value is None else _quoted(value) if isinstance(value, str) else f"sa.text({_quoted(str(value))})"


def _element(one: str | SchemaItem | Any) -> str:
    if isinstance(one, str | Column):
        return _quoted(str(getattr(one, "name", one)))
    return f"sa.text({_quoted(str(one))})"


def _list(names: Iterable[Any]) -> str:
    return f"[{', '.join(_quoted(str(getattr(name, 'name', name))) for name in names)}]"


def _quoted(text: str | None) -> str:
    escaped = str(text).replace("\\", "\\\\")
    return f"'{escaped}'" if '"' in escaped and "'" not in escaped else '"' + escaped.replace('"', '\\"') + '"'


def _call(name: str, arguments: Iterable[str]) -> str:
    given = list(arguments)
    line = f"{name}({', '.join(given)})"
    return line if len(line) + 2 * len(INDENT) <= LINE else _exploded(name, given)


def _exploded(name: str, arguments: Iterable[str]) -> str:
    return "\n".join((f"{name}(", *(f"{INDENT}{one}," for one in arguments), ")"))


def _indented(text: str) -> str:
    return text.replace("\n", f"\n{INDENT}")

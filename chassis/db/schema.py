"""Migrations: each room or feature that owns tables has a folder of them, and its own version table.

So a deleted feature leaves its tables and its version behind, and everything else still migrates.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sqlalchemy import Connection, Table, inspect, text

from chassis.db.database import Database
from chassis.db.tables import metadata
from chassis.errors import BootError

if TYPE_CHECKING:
    from alembic.config import Config

REBUILDS = "batch_alter_table("  # on SQLite it rebuilds a table
CREATED, DROPPED = (re.compile(rf'\b{verb}_table\(\s*"(\w+)"') for verb in ("create", "drop"))
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Branch:
    """One sequence of migrations; revisions are named `0001`, `0002`, ... in files `0001_what.py`."""

    name: str
    folder: Path

    @property
    def version_table(self) -> str:
        return "alembic_version" if self.name == "core" else f"alembic_version_{self.name}"

    def revisions(self) -> list[str]:
        """Return the revisions that the code knows, oldest first."""
        return sorted(path.stem.split("_")[0] for path in self.folder.glob("[0-9]*_*.py"))

    def tables(self, revision: str) -> set[str]:
        """Return the tables of a database at that revision; migrations must name tables literally."""
        found: set[str] = set()
        for path in sorted(self.folder.glob("[0-9]*_*.py")):
            if path.stem.split("_")[0] <= revision:
                text = path.read_text()
                found = (found | set(CREATED.findall(text))) - set(DROPPED.findall(text))
        return found

    def rebuilds(self) -> bool:
        """Return whether a migration rebuilds a table of SQLite."""
        return any(REBUILDS in path.read_text() for path in self.folder.glob("[0-9]*_*.py"))


CORE = Branch("core", MIGRATIONS / "versions")
_known = [CORE]


def know(branches: list[Branch]) -> None:
    """Set the branches; a higher layer knows those of the features."""
    _known[:] = branches


def known() -> list[Branch]:
    """Return the branches of this application."""
    return list(_known)


def pending(db: Database, branches: list[Branch]) -> list[str]:
    """Return the branches whose tables are behind the code, as `name: have -> want`."""
    current = db.read(lambda conn: [(branch, _current(conn, branch)) for branch in branches])
    return [f"{b.name}: {have or 'nothing'} -> {b.revisions()[-1]}" for b, have in current if _behind(b, have)]


def lacking(db: Database, branches: list[Branch]) -> list[str]:
    """Return the tables that are missing although the branches' revisions include them."""

    def read(conn: Connection) -> list[str]:
        there = set(inspect(conn).get_table_names())
        revisions = [(branch, _current(conn, branch)) for branch in branches]
        return sorted({table for branch, have in revisions if have for table in branch.tables(have)} - there)

    return db.read(read)


def lacking_columns(db: Database, branches: list[Branch]) -> list[str]:
    """Return the columns that are missing in tables of the newest version, as `table.column`."""

    def read(conn: Connection) -> list[str]:
        there, newest = inspect(conn), set[str]()
        for branch in branches:
            if (have := _current(conn, branch)) == branch.revisions()[-1]:
                newest |= branch.tables(have)
        columns = [(table, {c["name"] for c in there.get_columns(table.name)}) for table in _tables(newest)]
        return [
            f"{table.name}.{column.name}" for table, found in columns for column in table.c if column.name not in found
        ]

    return db.read(read)


def _tables(names: set[str]) -> list[Table]:
    return [table for name, table in sorted(metadata.tables.items()) if name in names]


def unversioned(db: Database, branches: list[Branch]) -> list[str]:
    """Return the branches that have tables but no version; their migrations would fail."""

    def read(conn: Connection) -> list[str]:
        there = set(inspect(conn).get_table_names())
        return [b.name for b in branches if _current(conn, b) is None and there & b.tables(b.revisions()[-1])]

    return db.read(read)


def upgrade(db: Database, branches: list[Branch]) -> list[str]:
    """Migrate every branch to the code's newest revision, each migration in a transaction; return what was done."""
    done = pending(db, branches)
    for branch in branches:
        if db.read(lambda conn, b=branch: _behind(b, _current(conn, b))):  # type: ignore[misc]
            _upgrade(db, branch)
    return done


def print_sql(db: Database, branches: list[Branch], out: TextIO) -> None:
    """Write the SQL of the pending migrations to `out` without applying it."""
    for branch in branches:
        have = db.read(lambda conn, b=branch: _current(conn, b))  # type: ignore[misc]
        if _behind(branch, have):
            out.write(f"-- {branch.name}: {have or 'nothing'} -> {branch.revisions()[-1]}\n")
            _print_sql(db, branch, have, out)


def _upgrade(db: Database, branch: Branch) -> None:
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(db, branch), "head")
    except CommandError as error:
        said = str(error).partition("\n")[0]
        raise BootError(f"The table {branch.version_table} is damaged ({said}): restore a backup.") from None


def _print_sql(db: Database, branch: Branch, have: str | None, out: TextIO) -> None:
    from alembic import command
    from alembic.util import CommandError

    config = _config(db, branch)
    config.output_buffer = out
    try:
        command.upgrade(config, f"{have or 'base'}:head", sql=True)
    except CommandError:
        raise BootError(
            f"A migration of {branch.name} makes a new table from an old one as it is then: "
            "its SQL for SQLite cannot be printed."
        ) from None


def _config(db: Database, branch: Branch) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(branch.folder))
    config.attributes["version_table"] = branch.version_table
    config.attributes["engine"] = db.writer
    config.attributes["rebuilds"] = db.sqlite and branch.rebuilds()
    return config


def _behind(branch: Branch, have: str | None) -> bool:
    known = branch.revisions()
    if have and have not in known:
        raise BootError(
            f"The database is newer than this code ({branch.name} is at {have}, the code knows up to {known[-1]}): "
            "deploy the newer code, or restore a backup from before the upgrade."
        )
    return have != known[-1]


def _current(conn: Connection, branch: Branch) -> str | None:
    if not inspect(conn).has_table(branch.version_table):
        return None
    found = list(conn.execute(text(f"SELECT version_num FROM {branch.version_table}")).scalars())  # noqa: S608
    if len(found) > 1:
        raise BootError(f"The table {branch.version_table} is damaged (it has {len(found)} rows): restore a backup.")
    return found[0] if found else None

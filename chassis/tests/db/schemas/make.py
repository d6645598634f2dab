"""Writes the schema of a release, with a row in each table, for the tests that upgrade from it.

    python chassis/tests/db/schemas/make.py 0004     # the core's revision; the features are at their newest

Do it at each release that brings migrations, and never change a file that was released.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT))

from alembic import command  # noqa: E402

from chassis.boot import branches  # noqa: E402
from chassis.db import Database, schema  # noqa: E402
from chassis.settings import Settings  # noqa: E402

VALUES = {"INTEGER": 1, "FLOAT": 1.5, "BOOLEAN": 0, "JSON": "{}"}


def row_of(connection: sqlite3.Connection, table: str) -> None:
    """Insert a row whose texts are all `x`, so that references between tables hold."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    values = [VALUES.get(kind.partition("(")[0], "x") for _, _, kind, *_ in columns]
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def dump(revision: str) -> str:
    """Return the SQL that makes a database as the release with that revision of the core left it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.db"
        database = Database()
        database.open(Settings(app_env="test", database_url=f"sqlite:///{path}"))
        for branch in branches():
            command.upgrade(schema._config(database, branch), revision if branch.name == "core" else "head")
        database.close()
        connection = sqlite3.connect(path)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            if not connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                row_of(connection, table)
        text = "\n".join(connection.iterdump()) + "\n"
        connection.close()
        return text


if __name__ == "__main__":
    (Path(__file__).parent / f"{sys.argv[1]}.sql").write_text(dump(sys.argv[1]))

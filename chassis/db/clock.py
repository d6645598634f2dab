"""The database's clock, which all processes share, whatever the clocks of their machines say."""

from typing import Any

from sqlalchemy import Connection, Float, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class database_time(GenericFunction[float]):
    """The time at which the statement runs, in seconds since 1970; with SQLite that is this machine's, to 1 ms."""

    type = Float()
    inherit_cache = True


def now(conn: Connection) -> float:
    """Return the time by the database's clock, in seconds since 1970."""
    return conn.execute(select(database_time())).scalar_one()


@compiles(database_time, "postgresql")
def _of_postgres(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float8"


@compiles(database_time, "sqlite")
def _of_sqlite(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"

"""The search by vectors: the extension sqlite-vec, or pgvector. Without it, words alone are searched."""

from array import array
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    ColumnElement,
    Connection,
    Dialect,
    LargeBinary,
    Table,
    case,
    cast,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator, UserDefinedType

from chassis.search.query import Query

FLOAT_BYTES = 4
NAMES = {"sqlite": ("SQLite's FTS5", "sqlite-vec"), "postgresql": ("PostgreSQL's full-text search", "pgvector")}
sqlite_vec: Any = import_module("sqlite_vec") if find_spec("sqlite_vec") else None


class Vector(TypeDecorator[list[float]]):
    """A list of floats: packed as 32-bit floats on SQLite, an array of `real` on PostgreSQL."""

    impl, cache_ok = LargeBinary, True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type in this kind of database."""
        return dialect.type_descriptor(ARRAY(REAL) if dialect.name == "postgresql" else LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return what is stored."""
        return value if dialect.name == "postgresql" or value is None else array("f", value).tobytes()

    def process_result_value(self, value: Any, dialect: Dialect) -> list[float] | None:
        """Return the floats."""
        return value if dialect.name == "postgresql" or value is None else list(array("f", value))


class _PgVector(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "vector"


def described(conn: Connection) -> str:
    """Return which ways of searching this database has, as a sentence for people."""
    words, vectors = NAMES[conn.dialect.name]
    if are_compared(conn):
        return f"Documents are searched by {words} and by vectors with {vectors}."
    return f"Documents are searched by {words}, and not by vectors, since {vectors} is not available."


def by_vector(conn: Connection, passages: Table, query: Query, most: int) -> list[int]:
    """Return the ids of the passages whose vectors are near enough, the nearest first."""
    if not are_compared(conn):
        return []
    distance = _distance(conn, passages, query.vector)
    found = select(passages.c.id).where(passages.c.embedder == query.embedder, distance <= query.farthest)
    found = found.where(passages.c.document_id.in_(query.within)).order_by(distance, passages.c.id)
    return list(conn.execute(found.limit(most)).scalars())


def are_compared(conn: Connection) -> bool:
    """Return whether the database compares vectors; SQLite loads the extension into the connection."""
    if conn.dialect.name == "postgresql":
        return conn.execute(text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")).first() is not None
    connection: Any = conn.connection.driver_connection
    if sqlite_vec is None or not hasattr(connection, "enable_load_extension"):
        return False  # not installed, or a Python that was built without extensions
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    connection.enable_load_extension(False)
    return True


def _distance(conn: Connection, passages: Table, vector: Sequence[float]) -> ColumnElement[float]:
    """Return the cosine distance, from 0 to 2; NULL for vectors of another length, as another model's of that name."""
    numbers: ColumnElement[Any]
    distance: ColumnElement[Any]
    stored, asked = passages.c.vector, literal(list(vector), Vector())
    if conn.dialect.name == "postgresql":
        numbers = func.cardinality(stored)
        distance = cast(stored, _PgVector()).op("<=>")(cast(cast(asked, ARRAY(REAL)), _PgVector()))
    else:
        numbers = func.length(stored) / FLOAT_BYTES
        distance = func.vec_distance_cosine(stored, asked)
    return case((numbers == len(vector), distance))

"""PostgreSQL's server, used from another database than the service's: creates, drops and renames databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chassis.db.backup.model import BackupError, Report
from chassis.db.faults import reason_of
from chassis.db.lock import take_advisory_lock

ALONE_LOCK = 7_355_609  # any number that all our processes share, other than the boot's
MARK = "scratch of flask db"
NOT_ALLOWED, IN_USE = "42501", "55006"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def at(url: str, database: str) -> str:
    """Return the URL of another database of the same server."""
    return make_url(url).set(database=database).render_as_string(hide_password=False)


class Server:
    """Operations on whole databases, done from `postgres` or `template1`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def has(self, name: str) -> bool:
        """Return whether a database of that name exists."""
        return bool(self._ask("SELECT count(*) FROM pg_database WHERE datname = :name", name=name))

    def size_bytes(self, name: str) -> int:
        """Return the size of a database on disk."""
        return int(self._ask("SELECT pg_database_size(:name)", name=name))

    def users(self, name: str) -> str:
        """Return a short description of the connections to a database, or ""."""
        found = self._ask(
            "SELECT count(*) || ' connections from ' || string_agg(DISTINCT coalesce(host(client_addr), 'here'), ', ')"
            " FROM pg_stat_activity WHERE datname = :name",
            name=name,
        )
        return str(found or "")

    def create(self, name: str, like: str) -> None:
        """Create an empty scratch database, with the encoding and collation of `like` if that exists."""
        query = "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = :name"
        row = self._connection.execute(text(query), {"name": like}).first()
        encoding, collate, ctype = (self._literal(one) for one in row or ("UTF8", "C", "C"))
        options = f"ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}"
        self._do(f"CREATE DATABASE {self._name(name)} TEMPLATE template0 {options}")
        self._do(f"COMMENT ON DATABASE {self._name(name)} IS {self._literal(MARK)}")

    def drop(self, name: str) -> None:
        """Drop a scratch database if it exists, with all its connections; never one that was not created here."""
        if not self.has(name):
            return
        if not self._is_scratch(name):
            raise BackupError(f"There is already a database {name} that was not created for this: rename it.")
        self._do(f"DROP DATABASE {self._name(name)} WITH (FORCE)")

    def rename(self, *changes: tuple[str, str]) -> None:
        """Rename databases, all or none; the server refuses while one has connections."""
        steps = [f"ALTER DATABASE {self._name(old)} RENAME TO {self._name(new)}" for old, new in changes]
        steps += [f"COMMENT ON DATABASE {self._name(new)} IS NULL" for old, new in changes if self._is_scratch(old)]
        self._do("; ".join(steps))

    def _is_scratch(self, name: str) -> bool:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"
        return bool(self._ask(query, name=name) == MARK)

    def _ask(self, query: str, **values: str) -> Any:
        return self._connection.execute(text(query), values).scalar()

    def _do(self, statements: str) -> None:
        """Execute statements without parameters; the server runs several in one transaction."""
        self._connection.execution_options(no_parameters=True).exec_driver_sql(statements)

    def _name(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote_identifier(name)

    @staticmethod
    def _literal(value: str) -> str:
        return "'" + value.replace("'", "''") + "'"


@contextmanager
def alone_on(url: str, report: Report) -> Iterator[Server]:
    """Lock the server of the database at `url` for one process; raise BackupError if it refuses."""
    with _connected(url) as connection, _explained(make_url(url).username or "", str(make_url(url).database)):
        take_advisory_lock(
            connection, ALONE_LOCK, lambda: report("waiting for another process that restores on this server")
        )
        yield Server(connection)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Connect to a database that every server has, since a renamed database must have no connections."""
    names = [name for name in ("postgres", "template1") if name != make_url(url).database]
    for name in names:
        engine = create_engine(at(url, name), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            connection = engine.connect()
        except SQLAlchemyError as error:
            why = reason_of(error)
            continue
        with connection:
            yield connection
        return
    raise BackupError(f"The server of DATABASE_URL cannot be used ({why}): check it, and the right to its {names[-1]}.")


@contextmanager
def _explained(user: str, database: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        state, why = getattr(error.orig, "sqlstate", ""), reason_of(error)
        if state == NOT_ALLOWED:
            sentence = (
                f"The user {user} of DATABASE_URL lacks a permission ({why}): ALTER ROLE {user} CREATEDB grants it."
            )
        elif state == IN_USE:
            sentence = f"The database is in use ({why}): stop the service first. {database} is unchanged."
        else:
            sentence = f"The server of DATABASE_URL refused ({why}): check it. {database} is unchanged."
        raise BackupError(sentence) from None

"""PostgreSQL's connections: how many of them are in use, how long callers wait, and whether the server has enough."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.db.postgres import RESERVED
from chassis.errors import BootError
from chassis.observability.metrics import CONNECTION_TIMEOUTS, CONNECTION_WAIT, CONNECTIONS_IN_USE
from chassis.settings import Settings

LIMITS = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true), '0')::int,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
           (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """Yield a connection of the pool; raise SQLAlchemy's TimeoutError after DATABASE_POOL_TIMEOUT_SECONDS."""
    started = time.perf_counter()
    try:
        connection = engine.connect()
    except PoolTimeout:
        CONNECTION_TIMEOUTS.inc()
        raise
    finally:
        CONNECTION_WAIT.observe(time.perf_counter() - started)
    CONNECTIONS_IN_USE.inc()
    try:
        with connection:
            yield connection
    finally:
        CONNECTIONS_IN_USE.dec()


@dataclass(frozen=True)
class Need:
    """What the workers of one start may open, and what the server lets them open."""

    workers: int
    each: int
    allowed: int

    def refusal(self) -> str | None:
        """Return a sentence when not even one connection for work is left to each worker, or None."""
        least = self.workers * (RESERVED + 1)
        if self.allowed >= least:
            return None
        return (
            f"PostgreSQL allows {self.allowed} connections, and {self.workers} workers need {least} at least: "
            "raise max_connections, or lower GUNICORN_WORKERS."
        )

    def warning(self) -> str | None:
        """Return a sentence when the workers may open more connections than the server allows, or None."""
        wanted = self.workers * self.each
        if self.allowed >= wanted:
            return None
        return (
            f"{self.workers} workers may open {wanted} connections ({self.each} each), and PostgreSQL allows "
            f"{self.allowed}: raise max_connections, or lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW."
        )


def need(conn: Connection, settings: Settings) -> Need:
    """Return the need of this service's workers beside the limits of the server, the user and the database."""
    limits = conn.execute(text(LIMITS)).one()
    allowed = min(limit for limit in limits if limit is not None and limit >= 0)  # -1 is none
    each = settings.database_pool_size + settings.database_max_overflow + RESERVED
    return Need(settings.gunicorn_workers, each, allowed)


def check(conn: Connection, settings: Settings) -> str | None:
    """Return a warning about too few connections, or None; raise BootError when the service cannot work with them.

    Behind a pooler, the server's limits say nothing.
    """
    if not settings.database_prepared_statements:
        return None
    found = need(conn, settings)
    if refusal := found.refusal():
        raise BootError(refusal)
    return found.warning()

"""Creates PostgreSQL's engine: bounded, with dead connections noticed by themselves, and safe under green threads."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DisconnectionError

from chassis.base.concurrency import current_mode, original
from chassis.base.environment import pass_to_children
from chassis.base.service import current as service
from chassis.db import clock
from chassis.db.faults import ends_connections
from chassis.errors import BootError
from chassis.settings import Settings

RESERVED = 2  # connections of each process for heartbeats of jobs and the probe, which use one each
PAUSE_SECONDS = 10.0
OPTIONS = {  # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds without an acknowledgement of what was sent
}


def postgres_engine(url: str, settings: Settings, *, reserved: bool = False) -> Engine:
    """Return an engine for PostgreSQL whose waits yield to the hub under eventlet; `reserved` is a small one.

    psycopg's C wait blocks the hub, its `wait_selector` does not; psycopg reads the choice when it is imported.
    """
    pass_to_children("PSYCOPG_WAIT_FUNC", "wait_selector")
    size = (RESERVED, 0) if reserved else (settings.database_pool_size, settings.database_max_overflow)
    timeout = settings.database_pool_timeout_seconds
    arguments = connect_options(url)
    if not settings.database_prepared_statements:
        arguments["prepare_threshold"] = None
    try:
        engine = create_engine(
            url, pool_size=size[0], max_overflow=size[1], pool_timeout=timeout, connect_args=arguments
        )
    except ImportError as error:
        why = str(error).strip().partition("\n")[0]
        raise BootError(f"DATABASE_URL needs a driver that loads ({why}): install psycopg[binary].") from None
    event.listen(engine, "connect", clock.compare_at_connect)
    event.listen(engine, "checkout", _refuse_dead)
    event.listen(engine, "handle_error", _ender_of_stale())
    if current_mode() == "eventlet":
        from psycopg import waiting

        if waiting.wait is getattr(waiting, "wait_c", None):
            raise RuntimeError("psycopg was imported before PSYCOPG_WAIT_FUNC was set; it would block the hub")
    return engine


def connect_options(url: str) -> dict[str, Any]:
    """Return libpq's options for each connection of this service; those in the URL have precedence."""
    ours = {**OPTIONS, "application_name": service().slug}
    return {name: value for name, value in ours.items() if name not in make_url(url).query}


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Replace an idle connection to which the server has sent something, usually its end; needs no round trip."""
    if connection.closed:
        raise DisconnectionError
    poll = original("select", "poll")()
    poll.register(connection.fileno())
    if any(events & original("select", "POLLIN") for _, events in poll.poll(0)):
        raise DisconnectionError


def _ender_of_stale() -> Callable[[ExceptionContext], None]:
    """Return a listener that discards connections after an error that new ones may not meet.

    It discards all at most every ten seconds, since a server may be read-only for long while reading goes on.
    """
    ended_at = -PAUSE_SECONDS

    def end(context: ExceptionContext) -> None:
        nonlocal ended_at
        if not ends_connections(context.original_exception):
            return
        now = time.monotonic()
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, now - ended_at >= PAUSE_SECONDS
        if context.invalidate_pool_on_disconnect:
            ended_at = now

    return end

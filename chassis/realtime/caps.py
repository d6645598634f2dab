"""The sockets' limits from the settings, and the log line and metric when one of them closes a connection."""

from typing import Any

import structlog
from flask import current_app, request

from chassis.errors import AppError
from chassis.observability.metrics import SOCKET_REFUSED
from chassis.security.identity import Environ
from chassis.security.keyring import keyring
from chassis.security.proxies import limited_as
from chassis.server.caps import Buffer, Caps
from chassis.settings import Settings

log = structlog.get_logger(__name__)


def caps(settings: Settings) -> Caps:
    """Return the settings as the transport's limits."""
    return Caps(
        buffer=Buffer(settings.socket_send_buffer_bytes, settings.socket_send_buffer_messages),
        receive_messages=settings.socket_receive_messages,
        receive_bytes=settings.socket_receive_bytes,
        connections=settings.socket_max_connections,
        connections_per_address=settings.of_strangers("socket_max_connections_per_address"),
        unjoined_per_address=settings.of_strangers("socket_max_unjoined_per_address"),
        handshake_seconds=settings.socket_handshake_seconds,
        namespaces=settings.socket_max_namespaces,
        rooms=settings.socket_max_rooms,
        counted_as=counted_as,
    )


def counted_as(environ: Environ) -> str | None:
    """Return the address that a session counts for, or None for a key without limits."""
    return None if keyring.without_limits(environ) else limited_as(environ.get("REMOTE_ADDR") or "")


def too_many_rooms(limit: int) -> AppError:
    """Return the error for joining more rooms than the limit."""
    return AppError(f"A client may be in at most {limit} rooms.", code="too_many_rooms", status=429)


def joined() -> None:
    """Record that the current client's session has joined one more namespace."""
    _count("joined")


def left() -> None:
    """Record that the current client's session has left a namespace."""
    _count("left")


def _count(change: str) -> None:
    """Tell the session counter; a server without limits has none."""
    server = current_app.extensions["socketio"].server  # the library's own key
    if census := getattr(server.eio, "census", None):
        asked: Any = request._get_current_object()  # type: ignore[attr-defined]
        getattr(census, change)(server.manager.eio_sid_from_sid(asked.sid, asked.namespace))


def report(cause: str, sid: str, detail: str) -> None:
    """Count and log a connection that is closed or refused."""
    SOCKET_REFUSED.labels(cause).inc()
    log.warning(
        "socket_closed_by_limit" if cause != "ping_timeout" else "socket_gone", cause=cause, sid=sid, detail=detail
    )

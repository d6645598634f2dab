"""What the fast transport may hold for one client and for all, and what is told when a limit closes a connection."""

import structlog

from app.errors import AppError
from app.observability.metrics import SOCKET_REFUSED
from app.server.limits import Limits
from app.server.websocket import Buffer
from app.settings import Settings

log = structlog.get_logger(__name__)


def limits(settings: Settings) -> Limits:
    """Return the settings in the transport's terms."""
    return Limits(
        buffer=Buffer(settings.socket_send_buffer_bytes, settings.socket_send_buffer_messages),
        receive_messages=settings.socket_receive_messages,
        receive_bytes=settings.socket_receive_bytes,
        connections=settings.socket_max_connections,
        connections_per_address=settings.socket_max_connections_per_address,
        handshake_seconds=settings.socket_handshake_seconds,
        namespaces=settings.socket_max_namespaces,
        rooms=settings.socket_max_rooms,
    )


def too_many_rooms(limit: int) -> AppError:
    """Return the error of a join above the limit."""
    return AppError(f"A client may be in {limit} rooms.", code="too_many_rooms", status=429)


def report(cause: str, sid: str, detail: str) -> None:
    """Count and log a connection that is closed or refused."""
    SOCKET_REFUSED.labels(cause).inc()
    log.warning(
        "socket_closed_by_limit" if cause != "ping_timeout" else "socket_gone", cause=cause, sid=sid, detail=detail
    )

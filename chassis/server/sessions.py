"""Begins Engine.IO sessions, by a poll or a websocket, and moves them from polling to a websocket."""

import json
from typing import TYPE_CHECKING, Any

from chassis.server import frames, handshake, packets, refusals
from chassis.server.connection import Connection
from chassis.server.refusals import Refused, bad
from chassis.server.requests import kept
from chassis.server.upgrade import Probe, Superfluous
from chassis.server.websocket import WebSocket
from chassis.server.websocket_request import check_websocket

if TYPE_CHECKING:
    from chassis.server.engine import Engine

SPOKEN = "this service speaks Engine.IO 4 (EIO=4), as clients of Socket.IO 3 and newer do"
Environ = dict[str, Any]


def begin(engine: "Engine", environ: Environ, transport: str, version: str) -> bytes | None:
    """Begin a session; return the body of the answer, or None for a connection that became a websocket."""
    _check(engine, environ, version)
    if transport == "websocket":
        check_websocket(environ)
    connection = Connection(engine, engine.generate_id())
    greeting = json.dumps(_greeting(engine, connection.sid, transport), separators=(",", ":"))
    opened = packets.Outgoing("0" + greeting)
    websocket = _take_over(engine, environ, connection, opened.frame) if transport == "websocket" else None
    engine.enter(connection, environ, kept(environ))
    if websocket is None:
        return opened.polled.encode()
    connection.use(websocket)
    return None


def upgrade(engine: "Engine", environ: Environ, connection: Connection) -> None:
    """Open a websocket to which a session that polls can move."""
    check_websocket(environ)
    if connection.upgraded or connection.probe is not None:
        _take_over(engine, environ, Superfluous()).close(frames.NO_CODE)
        return
    probe = Probe(connection, engine.limits.handshake_seconds)
    probe.begin(_take_over(engine, environ, probe))


def _check(engine: "Engine", environ: Environ, version: str) -> None:
    if version != "4":
        raise bad(refusals.UNSUPPORTED_VERSION, f"Unsupported protocol version: {SPOKEN}")
    if environ["REQUEST_METHOD"] != "GET":
        raise bad(refusals.BAD_METHOD, "Bad handshake method")
    if engine.stopping:
        raise Refused("503 Service Unavailable", refusals.FORBIDDEN, "The process is stopping", (("Retry-After", "1"),))
    if cause := engine.census.refusal(environ):
        engine.report(cause, "", environ.get("REMOTE_ADDR", ""))
        raise refusals.too_many_connections()


def _greeting(engine: "Engine", sid: str, transport: str) -> dict[str, Any]:
    can_upgrade = transport == "polling" and engine.allow_upgrades and "websocket" in engine.transports
    return {
        "sid": sid,
        "upgrades": ["websocket"] if can_upgrade else [],
        "pingInterval": round((engine.ping_interval + engine.ping_interval_grace_period) * 1000),
        "pingTimeout": round(engine.ping_timeout * 1000),
        "maxPayload": engine.max_http_buffer_size,
    }


def _take_over(engine: "Engine", environ: Environ, owner: Any, first: bytes = b"") -> WebSocket:
    sock, received = handshake.take_over(environ, first)
    websocket = WebSocket(sock, owner, engine.limits.buffer, engine.max_http_buffer_size)
    websocket.start(received)
    return websocket

"""Answers the requests of Engine.IO sessions: handshakes, long polls, posts and upgrades."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from chassis.server import hub, packets, refusals, sessions
from chassis.server.connection import Connection, Overlap
from chassis.server.refusals import bad
from chassis.server.requests import read_body
from chassis.server.websocket import HANDLED_TOGETHER
from chassis.server.websocket_request import asks_for_websocket

if TYPE_CHECKING:
    from chassis.server.engine import Engine

Environ = dict[str, Any]


def answer(engine: "Engine", environ: Environ) -> bytes | None:
    """Return the body, or None for a connection that became a websocket; raise Refused for an invalid request."""
    method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""))
    transport, sid = query.get("transport", [""])[0], query.get("sid", [""])[0]
    if method == "OPTIONS":
        return b"OK"
    if transport not in engine.transports:
        raise bad(refusals.UNKNOWN_TRANSPORT, "Transport unknown")
    if transport == "websocket" and (method != "GET" or not asks_for_websocket(environ)):
        raise bad(refusals.BAD_REQUEST, "A websocket must begin with an upgrade request")
    if not sid:
        return sessions.begin(engine, environ, transport, query.get("EIO", [""])[0])
    connection = engine.sockets.get(sid)
    if connection is None:
        raise bad(refusals.UNKNOWN_SID, "Session ID unknown")
    if transport == "websocket":
        sessions.upgrade(engine, environ, connection)
        return None
    if connection.upgraded:
        raise bad(refusals.BAD_REQUEST, "The session is on a websocket")
    if method == "GET":
        return _poll(connection)
    if method == "POST":
        return _post(engine, environ, connection)
    raise bad(refusals.BAD_METHOD, "Bad method")


def _poll(connection: Connection) -> bytes:
    connection.check_answer()
    if connection.closed:
        raise bad(refusals.UNKNOWN_SID, "Session ID unknown")
    try:
        return "\x1e".join(packet.polled for packet in connection.poll()).encode()
    except Overlap:
        raise bad(refusals.BAD_REQUEST, "Another poll is under way") from None


def _post(engine: "Engine", environ: Environ, connection: Connection) -> bytes:
    if connection.posting:
        connection.failed("overlapping_posts", "")
        raise bad(refusals.BAD_REQUEST, "Another post is under way")
    connection.posting = True
    # the client answers a ping with a post of its own, so a post that takes longer has lost its session anyway
    seconds = engine.ping_interval + engine.ping_timeout
    try:
        _receive(connection, read_body(environ, engine.max_http_buffer_size, seconds))
    except ValueError:
        connection.failed("invalid_packet", "not a payload")
        raise bad(refusals.BAD_REQUEST, "Not a valid payload") from None
    finally:
        connection.posting = False
    return b"ok"


def _receive(connection: Connection, body: str) -> None:
    for number, packet in enumerate(packets.unpack_payload(body)):
        if number % HANDLED_TOGETHER == HANDLED_TOGETHER - 1:
            hub.current().sleep(0)
        connection.received(packet)
        if connection.closed and packet != packets.CLOSE.data:
            raise bad(refusals.BAD_REQUEST, "Not a valid payload")

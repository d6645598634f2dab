"""Engine.IO protocol 4 for the fast transport: sessions, long polls, websockets, upgrades, limits."""

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import engineio

from chassis.server import frames, handshake, hub, packets, refusals, requests
from chassis.server.caps import Caps
from chassis.server.census import Census
from chassis.server.connection import Connection, Overlap
from chassis.server.delay import Delay
from chassis.server.pool import WorkPool
from chassis.server.refusals import Refused, bad
from chassis.server.requests import kept, read_body
from chassis.server.upgrade import Probe, Superfluous
from chassis.server.websocket import HANDLED_TOGETHER, WebSocket
from chassis.server.websocket_request import asks_for_websocket, check_websocket

log = logging.getLogger(__name__)
LEFT_TO_HANDLERS_SECONDS = 0.5
LATE_SECONDS = 0.1  # a ping late by up to this shortens the time to answer; a longer stall does not
Report = Callable[[str, str, str], None]
SPOKEN = "this service speaks Engine.IO 4 (EIO=4), as clients of Socket.IO 3 and newer do"


class Engine(engineio.Server):  # type: ignore[misc]
    """engine.io's server, with connections that need no green thread while they are idle."""

    def __init__(self, *, limits: Caps, report: Report, **options: Any) -> None:
        super().__init__(**options)
        self.limits, self._report = limits, report
        self.deliver: Callable[[Connection, str | bytes], None] = lambda _connection, _data: None
        self.pool = WorkPool()
        # they hold sids, since connections would be kept in memory long after they end
        self.pings = Delay(self.ping_interval, self._ping)
        self.answers = Delay(self.ping_timeout, self._check_beat)
        self.handshakes = Delay(limits.handshake_seconds, self._check_handshake)
        self.attachments = Delay(self.ping_interval + self.ping_timeout, self._check_attachments)
        self.census = Census(limits, self._limit_handshake, self._make_room)
        self.stopping = False  # when set, no session begins, not even on a connection that was kept alive
        self._leaving = 0

    def report(self, cause: str, sid: str, detail: str) -> None:
        """Count and log why a connection is closed or refused."""
        self._report(cause, sid, detail)

    @property
    def saying_goodbye(self) -> bool:
        """Whether disconnect handlers of closed connections run, or websockets are in their closing handshake."""
        return self._leaving > 0 or WebSocket.count > 0

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer an HTTP request, or take its connection over as a websocket."""
        headers: list[tuple[str, str]] = []
        try:
            self._check_origin(environ)
            headers = self._cors_headers(environ)
            body = self._answer(environ)
        except Refused as refused:
            return refused.answer(start_response, headers)
        if body is None:
            return []
        body, encoding = requests.compressed(self, environ, body)
        content = [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Length", str(len(body)))]
        start_response("200 OK", content + encoding + headers)
        return [body]

    def send_packet(self, sid: str, pkt: Any) -> None:
        """Send a packet to a client if it is still connected."""
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.send(pkt)

    def forget(self, connection: Connection, reason: str) -> None:
        """Remove a closed connection: handle the packets it sent before, then run its disconnect handlers.

        A slow handler delays this by at most half a second; packets that have not begun by then are discarded. Only a
        connect handler is always waited for: until it returns, it is not known whether there is a client to disconnect.
        """
        self.sockets.pop(connection.sid, None)
        self.census.gone(connection.sid)
        done = False
        self._leaving += 1

        def finish() -> None:
            nonlocal done
            if not done:
                done = True
                connection.lane.clear()
                try:
                    self._trigger_event("disconnect", connection.sid, reason, run_async=False)
                finally:
                    self._leaving -= 1

        def finish_unless_connecting() -> None:
            if not connection.held:
                finish()

        if connection.lane.busy:
            connection.lane.add_last(finish)
            self.pool.run_later(LEFT_TO_HANDLERS_SECONDS, finish_unless_connecting)
        else:
            self.pool.run(finish)

    def _check_origin(self, environ: dict[str, Any]) -> None:
        origin = environ.get("HTTP_ORIGIN")
        if origin and self.cors_allowed_origins != []:
            allowed = self._cors_allowed_origins(environ)
            if allowed is not None and origin not in allowed:
                raise bad(refusals.FORBIDDEN, "Not an accepted origin")

    def _answer(self, environ: dict[str, Any]) -> bytes | None:
        """Return the body, or None for a connection that became a websocket."""
        method, query = environ["REQUEST_METHOD"], parse_qs(environ.get("QUERY_STRING", ""))
        transport, sid = query.get("transport", [""])[0], query.get("sid", [""])[0]
        if method == "OPTIONS":
            return b"OK"
        if transport not in self.transports:
            raise bad(refusals.UNKNOWN_TRANSPORT, "Transport unknown")
        if transport == "websocket" and (method != "GET" or not asks_for_websocket(environ)):
            raise bad(refusals.BAD_REQUEST, "A websocket must begin with an upgrade request")
        if not sid:
            return self._open(environ, transport, query.get("EIO", [""])[0])
        connection = self.sockets.get(sid)
        if connection is None:
            raise bad(refusals.UNKNOWN_SID, "Session ID unknown")
        if transport == "websocket":
            self._upgrade(environ, connection)
            return None
        if connection.upgraded:
            raise bad(refusals.BAD_REQUEST, "The session is on a websocket")
        if method == "GET":
            return self._poll(connection)
        if method == "POST":
            return self._post(environ, connection)
        raise bad(refusals.BAD_METHOD, "Bad method")

    def _open(self, environ: dict[str, Any], transport: str, version: str) -> bytes | None:
        """Begin a session."""
        if version != "4":
            raise bad(refusals.UNSUPPORTED_VERSION, f"Unsupported protocol version: {SPOKEN}")
        if environ["REQUEST_METHOD"] != "GET":
            raise bad(refusals.BAD_METHOD, "Bad handshake method")
        self._check_room_for(environ)
        if transport == "websocket":
            check_websocket(environ)
        connection = Connection(self, self.generate_id())
        greeting = json.dumps(self._greeting(connection.sid, transport), separators=(",", ":"))
        opened = packets.Outgoing("0" + greeting)
        websocket = self._take_over(environ, connection, opened.frame) if transport == "websocket" else None
        self.sockets[connection.sid] = connection
        self.census.enter(connection.sid, environ)
        self._trigger_event("connect", connection.sid, kept(environ), run_async=False)
        self.pings.add(connection.sid)
        if websocket is None:
            return opened.polled.encode()
        connection.use(websocket)
        return None

    def _greeting(self, sid: str, transport: str) -> dict[str, Any]:
        can_upgrade = transport == "polling" and self.allow_upgrades and "websocket" in self.transports
        return {
            "sid": sid,
            "upgrades": ["websocket"] if can_upgrade else [],
            "pingInterval": round((self.ping_interval + self.ping_interval_grace_period) * 1000),
            "pingTimeout": round(self.ping_timeout * 1000),
            "maxPayload": self.max_http_buffer_size,
        }

    def _check_room_for(self, environ: dict[str, Any]) -> None:
        if self.stopping:
            raise Refused(
                "503 Service Unavailable", refusals.FORBIDDEN, "The process is stopping", (("Retry-After", "1"),)
            )
        if cause := self.census.refusal(environ):
            self.report(cause, "", environ.get("REMOTE_ADDR", ""))
            raise refusals.too_many_connections()

    def _take_over(self, environ: dict[str, Any], owner: Any, first: bytes = b"") -> WebSocket:
        sock, received = handshake.take_over(environ, first)
        websocket = WebSocket(sock, owner, self.limits.buffer, self.max_http_buffer_size)
        websocket.start(received)
        return websocket

    def _upgrade(self, environ: dict[str, Any], connection: Connection) -> None:
        check_websocket(environ)
        if connection.upgraded or connection.probe is not None:
            self._take_over(environ, Superfluous()).close(frames.NO_CODE)
            return
        probe = Probe(connection, self.limits.handshake_seconds)
        probe.begin(self._take_over(environ, probe))

    def _poll(self, connection: Connection) -> bytes:
        connection.check_answer()
        if connection.closed:
            raise bad(refusals.UNKNOWN_SID, "Session ID unknown")
        try:
            return "\x1e".join(packet.polled for packet in connection.poll()).encode()
        except Overlap:
            raise bad(refusals.BAD_REQUEST, "Another poll is under way") from None

    def _post(self, environ: dict[str, Any], connection: Connection) -> bytes:
        if connection.posting:
            connection.failed("overlapping_posts", "")
            raise bad(refusals.BAD_REQUEST, "Another post is under way")
        connection.posting = True
        # the client answers a ping with a post of its own, so a post that takes longer has lost its session anyway
        seconds = self.ping_interval + self.ping_timeout
        try:
            body = read_body(environ, self.max_http_buffer_size, seconds)
            for number, packet in enumerate(packets.unpack_payload(body)):
                if number % HANDLED_TOGETHER == HANDLED_TOGETHER - 1:
                    hub.current().sleep(0)
                connection.received(packet)
                if connection.closed and packet != packets.CLOSE.data:
                    raise bad(refusals.BAD_REQUEST, "Not a valid payload")
        except ValueError:
            connection.failed("invalid_packet", "not a payload")
            raise bad(refusals.BAD_REQUEST, "Not a valid payload") from None
        finally:
            connection.posting = False
        return b"ok"

    def _ping(self, sid: str) -> None:
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.ping(max(self.pings.time_due, time.monotonic() - LATE_SECONDS))

    def _check_beat(self, asked: tuple[str, int]) -> None:
        connection = self.sockets.get(asked[0])
        if connection is not None:
            connection.check_beat(asked[1])

    def _check_handshake(self, sid: str) -> None:
        connection = self.sockets.get(sid)
        if connection is not None and self.census.overdue(sid):
            connection.failed("handshake_timeout", "no namespace was joined", frames.POLICY)

    def _check_attachments(self, begun: tuple[str, int]) -> None:
        connection = self.sockets.get(begun[0])
        if connection is not None and connection.attachments is not None and connection.begun == begun[1]:
            connection.failed("attachments_timeout", "a packet was not completed", frames.POLICY)

    def _limit_handshake(self, sid: str) -> None:
        if self.limits.handshake_seconds:
            self.handshakes.add(sid)

    def _make_room(self, sid: str) -> None:
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.failed("made_room", "no namespace was joined, and a newcomer needed the place", frames.POLICY)

"""Engine.IO protocol 4 for the fast transport: the sessions, their timers and limits."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import engineio

from chassis.server import answers, frames, refusals, requests
from chassis.server.caps import Caps
from chassis.server.census import Census
from chassis.server.connection import Connection
from chassis.server.delay import Delay
from chassis.server.farewell import Farewell
from chassis.server.pool import WorkPool
from chassis.server.refusals import Refused, bad
from chassis.server.websocket import WebSocket

LATE_SECONDS = 0.1  # a ping late by up to this shortens the time to answer; a longer stall does not
Report = Callable[[str, str, str], None]


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
        self._farewell = Farewell(self.pool, self._disconnected)

    def report(self, cause: str, sid: str, detail: str) -> None:
        """Count and log why a connection is closed or refused."""
        self._report(cause, sid, detail)

    @property
    def saying_goodbye(self) -> bool:
        """Whether disconnect handlers of closed connections run, or websockets are in their closing handshake."""
        return self._farewell.under_way > 0 or WebSocket.count > 0

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer an HTTP request, or take its connection over as a websocket."""
        headers: list[tuple[str, str]] = []
        try:
            self._check_origin(environ)
            headers = self._cors_headers(environ)
            body = answers.answer(self, environ)
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

    def enter(self, connection: Connection, environ: dict[str, Any], request: dict[str, Any]) -> None:
        """Add a new connection; handlers can read `request`."""
        self.sockets[connection.sid] = connection
        self.census.enter(connection.sid, environ)
        self._trigger_event("connect", connection.sid, request, run_async=False)
        self.pings.add(connection.sid)

    def forget(self, connection: Connection, reason: str) -> None:
        """Remove a closed connection: handle the packets it sent before, then run its disconnect handlers."""
        self.sockets.pop(connection.sid, None)
        self.census.gone(connection.sid)
        self._farewell.say(connection, reason)

    def _disconnected(self, sid: str, reason: str) -> None:
        self._trigger_event("disconnect", sid, reason, run_async=False)

    def _check_origin(self, environ: dict[str, Any]) -> None:
        origin = environ.get("HTTP_ORIGIN")
        if origin and self.cors_allowed_origins != []:
            allowed = self._cors_allowed_origins(environ)
            if allowed is not None and origin not in allowed:
                raise bad(refusals.FORBIDDEN, "Not an accepted origin")

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

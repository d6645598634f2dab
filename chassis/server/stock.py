"""Limits for the libraries' own server, which has none: sessions, incomplete packets, unsendable events."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from chassis.server import packets, refusals
from chassis.server.caps import Caps
from chassis.server.census import Census
from chassis.server.patches import for_socketio

LOOK_SECONDS = 0.5


class Guard:
    """Limits the sessions of a Socket.IO server.

    It refuses sessions above the limits, ends those that join no namespace or do not complete a packet's attachments,
    and refuses to send an event that would disconnect its clients.
    """

    def __init__(self, server: Any, limits: Caps, report: Callable[[str, str, str], None]) -> None:
        self._server, self._eio, self._report = server, server.eio, report
        self._entered, self._left = self._eio.handlers["connect"], self._eio.handlers["disconnect"]
        self._eio.census = self.census = Census(limits, self._watch, lambda sid: self._end(sid, "made_room"))
        self._eio.on("connect", self._enter)
        self._eio.on("disconnect", self._leave)
        self._emit, server.manager.emit = server.manager.emit, self._checked_emit
        for_socketio.before_each_event(server, self._check_event)
        self._seconds, self._watching = self._eio.ping_interval + self._eio.ping_timeout, False
        self._incomplete: dict[str, tuple[Any, float]] = {}  # packets, and when each was first seen

    def wrapped(self, application: Any, path: str) -> Any:
        """Return the WSGI application that serves the server under a path, with the limits applied."""

        def call(environ: dict[str, Any], start_response: Any) -> Any:
            begins = environ["PATH_INFO"].startswith(path) and outside_of_sessions(environ, self._eio)
            if begins and (cause := self.census.refusal(environ)):
                self._report(cause, "", environ.get("REMOTE_ADDR") or "")
                return refusals.too_many_connections().answer(start_response)
            return application(environ, start_response)

        return call

    def _checked_emit(self, event: str, data: Any, *args: Any, **options: Any) -> Any:
        packets.check_sendable(list(data) if isinstance(data, tuple) else data)
        return self._emit(event, data, *args, **options)

    def _check_event(self, sid: str, data: Any) -> bool:
        """Return whether an event can be handled; one named like the library's own would run the wrong handlers."""
        if isinstance(data, list) and data and data[0] in packets.RESERVED_EVENTS:
            self._end(sid, "invalid_packet")
            return False
        return True

    def _enter(self, sid: str, environ: dict[str, Any]) -> Any:
        self.census.enter(sid, environ)
        return self._entered(sid, environ)

    def _leave(self, sid: str, reason: str) -> Any:
        self.census.gone(sid)
        return self._left(sid, reason)

    def _watch(self, _sid: str) -> None:
        if not self._watching:
            self._watching = True
            self._server.start_background_task(self._end_overdue)

    def _end_overdue(self) -> None:
        while True:
            self._server.sleep(LOOK_SECONDS)
            for sid in self.census.all_overdue():
                self._end(sid, "handshake_timeout")
            for sid in self._stuck():
                self._end(sid, "attachments_timeout")

    def _stuck(self) -> list[str]:
        """Return the sessions that have not completed a packet's attachments in time."""
        now, found = time.monotonic(), for_socketio.incomplete_packets(self._server).copy()
        before = self._incomplete
        self._incomplete = {
            sid: before[sid] if sid in before and before[sid][0] is packet else (packet, now)
            for sid, packet in found.items()
        }
        return [sid for sid, (_, since) in self._incomplete.items() if now - since > self._seconds]

    def _end(self, sid: str, cause: str) -> None:
        connection = self._eio.sockets.pop(sid, None)
        self.census.gone(sid)
        for_socketio.incomplete_packets(self._server).pop(sid, None)
        if connection is not None and not connection.closed:
            self._report(cause, sid, "")
            connection.close(wait=False, abort=True, reason=self._eio.reason.TRANSPORT_ERROR)


def outside_of_sessions(environ: dict[str, Any], eio: Any) -> bool:
    """Return whether a request belongs to no session of an Engine.IO server: it begins one, or it is invalid."""
    query = environ.get("QUERY_STRING", "")
    return "sid=" not in query or parse_qs(query).get("sid", [""])[0] not in eio.sockets

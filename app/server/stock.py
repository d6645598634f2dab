"""Limits for the libraries' own server, which has none: how many sessions, and for how long they may join nothing."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from app.server import refusals
from app.server.census import Census
from app.server.limits import Limits

LOOK_SECONDS = 0.5


class Guard:
    """Counts the sessions of an Engine.IO server, refuses those above the limits, and ends those that join nothing."""

    def __init__(self, server: Any, limits: Limits, report: Callable[[str, str, str], None]) -> None:
        self._server, self._eio, self._report = server, server.eio, report
        self._entered, self._left = self._eio.handlers["connect"], self._eio.handlers["disconnect"]
        self._eio.census = self.census = Census(limits, self._watch, lambda sid: self._end(sid, "made_room"))
        self._eio.on("connect", self._enter)
        self._eio.on("disconnect", self._leave)
        self._watching = not limits.handshake_seconds  # then there is nothing to watch

    def wrapped(self, application: Any, path: str) -> Any:
        """Return the WSGI application that has the server under a path, behind the limits."""

        def call(environ: dict[str, Any], start_response: Any) -> Any:
            if environ["PATH_INFO"].startswith(path) and outside_of_sessions(environ, self._eio):
                address = environ.get("REMOTE_ADDR") or ""
                if cause := self.census.refusal(address):
                    self._report(cause, "", address)
                    return refusals.too_many_connections().answer(start_response)
            return application(environ, start_response)

        return call

    def _enter(self, sid: str, environ: dict[str, Any]) -> Any:
        self.census.enter(sid, environ.get("REMOTE_ADDR") or "")
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

    def _end(self, sid: str, cause: str) -> None:
        connection = self._eio.sockets.pop(sid, None)
        self.census.gone(sid)
        if connection is not None and not connection.closed:
            self._report(cause, sid, "no namespace was joined")
            connection.close(wait=False, abort=True, reason=self._eio.reason.TRANSPORT_ERROR)


def outside_of_sessions(environ: dict[str, Any], eio: Any) -> bool:
    """Return whether a request belongs to no session of an Engine.IO server: it begins one, or it is wrong."""
    query = environ.get("QUERY_STRING", "")
    return "sid=" not in query or parse_qs(query).get("sid", [""])[0] not in eio.sockets

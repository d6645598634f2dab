"""Counts requests at the sockets' path that belong to no session towards their address's limits.

A request with a key without limits in its headers is not counted.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from chassis.errors import TooManyRequests
from chassis.extensions import SOCKET_PATH, socketio
from chassis.realtime.caps import report
from chassis.security import request_rates
from chassis.server import refusals
from chassis.server.refusals import outside_of_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def wrapped(application: WSGIApplication) -> WSGIApplication:
    """Return the application behind the limits; it does not see refused requests."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(SOCKET_PATH) and outside_of_sessions(environ, socketio.server.eio):
            try:
                request_rates.count_handshake(environ)
            except TooManyRequests as error:
                report("too_many_handshakes_of_address", "", environ.get("REMOTE_ADDR") or "")
                return refusals.too_often(ceil(error.retry_after_seconds or 1)).answer(start_response)
        return application(environ, start_response)

    return call

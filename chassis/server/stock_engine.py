"""python-engineio's server with this project's limits for sessions, posts and websockets."""

import io
import logging
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import engineio
from engineio.payload import Payload
from gunicorn.http.errors import ParseException

from chassis.server import packets, refusals
from chassis.server.caps import STRANGERS_BYTES, Caps
from chassis.server.census import Census
from chassis.server.refusals import Refused, bad
from chassis.server.stock_websocket import receiving
from chassis.server.websocket_request import check_websocket

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
FROM_CLIENTS = re.compile(r"[135]|3probe|4[0-6].*", re.DOTALL)
NO_PROBE = "6"  # python-engineio ends an upgrade whose first message is this


class StockEngine(engineio.Server):  # type: ignore[misc]
    """Ends sessions that send invalid packets, and sessions that join no namespace in time."""

    _async: dict[str, Any]  # the async mode's threads, queues and websockets

    def __init__(self, *, limits: Caps, report: Callable[[str, str, str], None], **options: Any) -> None:
        super().__init__(**options)
        Payload.max_decode_packets = packets.MAX_TOGETHER
        self.limits, self._report = limits, report
        self.census = Census(limits, self._watch, lambda sid: self.end(sid, "made_room"))
        self.stuck: Callable[[], Iterable[str]] = tuple
        self._library_websocket = self._async["websocket"]
        self._async = self._async | {"websocket": self._websocket}
        self._watching = False

    def end(self, sid: str, cause: str, detail: str = "") -> None:
        """End a session because of what its client did; this is counted and logged."""
        connection = self.sockets.pop(sid, None)
        self.census.gone(sid)
        if connection is not None and not connection.closed:
            connection.broken = True
            self._report(cause, sid, detail)
            connection.close(wait=False, abort=True, reason=self.reason.TRANSPORT_ERROR)

    def handle_request(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one HTTP request, or serve its connection as a websocket."""
        query = parse_qs(environ.get("QUERY_STRING", ""))
        connection = self.sockets.get(query.get("sid", [""])[0])
        try:
            self._check(environ, query, connection)
            if environ["REQUEST_METHOD"] == "POST" and connection is not None and not connection.upgraded:
                return self._post(environ, start_response, connection)
        except Refused as refused:
            return refused.answer(start_response, self._cors_headers(environ))
        answer: Iterable[bytes] = super().handle_request(environ, start_response)
        return answer

    def _check(self, environ: dict[str, Any], query: dict[str, list[str]], connection: Any) -> None:
        """Raise Refused for requests that the library would wrongly accept or fail at."""
        if "j" in query:
            raise bad(refusals.BAD_REQUEST, "JSONP is not supported")
        if "HTTP_UPGRADE" in environ and query.get("transport") == ["websocket"]:
            check_websocket(environ)
            environ["eventlet.input"] = _Input(environ.get("gunicorn.socket"))  # as python-engineio's middleware does
            if connection is not None and connection.upgrading:
                raise bad(refusals.BAD_REQUEST, "An upgrade is under way")
        if connection is None:
            self._check_room_for(environ)

    def _check_room_for(self, environ: dict[str, Any]) -> None:
        if cause := self.census.refusal(environ):
            self._report(cause, "", environ.get("REMOTE_ADDR") or "")
            raise refusals.too_many_connections()

    def _post(self, environ: dict[str, Any], start_response: Any, connection: Any) -> Iterable[bytes]:
        """Pass on a post if its body is valid, with its length; the library loses bodies without a length."""
        body = self._body(environ)
        try:
            for packet in packets.unpack_payload(str(body, "utf-8")):
                self._check_packet(connection.sid, packet)
        except ValueError as error:
            self.end(connection.sid, "invalid_packet", str(error))
            raise bad(refusals.BAD_REQUEST, "Not a valid payload") from None
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        said: list[Any] = []
        answer: Iterable[bytes] = super().handle_request(environ, lambda *args: said.append(args))
        if getattr(connection, "broken", False):
            raise bad(refusals.BAD_REQUEST, "Not a valid payload")
        start_response(*said[0])
        return [b"ok"] if answer == [b"OK"] else answer  # as the protocol says

    def _body(self, environ: dict[str, Any]) -> bytes:
        length, body = int(environ.get("CONTENT_LENGTH") or 0), b""
        try:
            if length <= self.max_http_buffer_size:
                body = environ["wsgi.input"].read(self.max_http_buffer_size + 1)
        except (OSError, ParseException):
            raise bad(refusals.BAD_REQUEST, "The body did not arrive") from None
        if max(length, len(body)) > self.max_http_buffer_size:
            raise Refused("413 Content Too Large", refusals.BAD_REQUEST, f"At most {self.max_http_buffer_size} bytes")
        return body

    def _check_packet(self, sid: str, packet: str | bytes) -> None:
        """Raise ValueError for an invalid packet, and for a large one from a client that has joined no namespace."""
        if isinstance(packet, str) and not FROM_CLIENTS.fullmatch(packet):
            raise ValueError("not an Engine.IO packet that a client sends")
        if len(packet) > STRANGERS_BYTES and not self.census.has_joined(sid):
            raise ValueError(f"{len(packet)} bytes before a namespace was joined")

    def _websocket(self, handler: Any, server: Any) -> Any:
        """Return the library's websocket; its handler gets only checked messages."""
        made = self._library_websocket(partial(self._serve, handler), server)
        if hasattr(made, "server_args"):  # simple-websocket
            made.server_args["max_message_size"] = self.max_http_buffer_size
        return made

    def _serve(self, handler: Any, websocket: Any) -> Any:
        connection = handler.__self__
        wait = receiving(websocket, self.max_http_buffer_size, self.ping_interval + self.ping_timeout)
        websocket.wait = partial(self._wait, connection, wait)
        try:
            return handler(websocket)
        except Exception as error:
            log.info("A websocket failed: %s", error)
            return []
        finally:
            connection.upgrading = False  # after a failed upgrade the session continues by polling

    def _wait(self, connection: Any, wait: Callable[[], str | bytes | None]) -> str | bytes | None:
        """Return the next message, or None if no more will come or this one ends the session."""
        if connection.closed:
            return None
        message = wait()
        if message is None:
            return None
        if not connection.upgraded:
            return message if message in ("2probe", "5") else NO_PROBE
        try:
            self._check_packet(connection.sid, message)
        except ValueError as error:
            self.end(connection.sid, "invalid_packet", str(error))
            return None
        return message

    def _watch(self, _sid: str) -> None:
        if not self._watching:
            self._watching = True
            self.start_background_task(self._end_overdue)

    def _end_overdue(self) -> None:
        while True:
            self.sleep(LOOK_SECONDS)
            for sid in self.census.all_overdue():
                self.end(sid, "handshake_timeout")
            for sid in self.stuck():
                self.end(sid, "attachments_timeout")


class _Input:
    """Gives eventlet's websocket its connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get_socket(self) -> Any:
        """Return the connection."""
        return self._connection

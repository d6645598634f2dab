"""Serves the requests of each connection, with time limits for both directions."""

import contextlib
from functools import partial
from typing import Any

from greenlet import getcurrent
from gunicorn.http.errors import InvalidHeader
from gunicorn.workers.base_async import AsyncWorker

from chassis.server import tuning


class HttpWorker(AsyncWorker):  # type: ignore[misc]
    """Serves each connection in its own green thread."""

    wsgi: Any
    head_seconds: float  # set before the fork, like the next two
    body_seconds: float
    answer_seconds: float

    def init_process(self) -> None:
        """Begin without connections."""
        self._open: set[Any] = set()
        self._idle: set[Any] = set()
        self._websockets: set[Any] = set()
        self._receivers: dict[Any, Any] = {}  # by green thread
        self._turns = tuning.Turns()
        self._giver: Any = None  # both are used with several workers
        self._desk: Any = None
        super().init_process()

    def _knowing_when_to_close(self, application: Any) -> Any:
        """Return the application; it closes the connection after its answer if the worker stops or input is unread."""

        def call(environ: Any, start_response: Any) -> Any:
            sent = environ["wsgi.input"]
            body = application(environ, start_response)
            receiver = self._receivers[getcurrent()]
            finished = receiver.finishes(sent)
            if not finished:
                receiver.linger()
            if not (finished and self.alive):
                start_response.__self__.force_close()
            return body

        return call

    def _receiver(self, listener: Any, client: Any, addr: Any, received: bytes) -> Any:
        from chassis.server.receiver import Receiver

        limits = self.head_seconds, self.body_seconds, self.cfg.keepalive
        if self._desk is None:
            return Receiver(client, *limits, self._idle)
        from chassis.server.several.sorter import Sorter

        give = partial(self._giver.give, client, (listener.getsockname(), addr))
        return Sorter(client, *limits, self._idle, give=give, received=received)

    def handle(self, listener: Any, client: Any, addr: Any, received: bytes = b"") -> None:
        """Serve a connection, which is registered while it is open; `received` was read by another worker."""
        self._receivers[getcurrent()] = receiver = self._receiver(listener, client, addr, received)
        self._open.add(client)
        try:
            super().handle(listener, receiver, addr)
        finally:
            self._idle.add(client)
            receiver.end()
            del self._receivers[getcurrent()]
            self._idle.discard(client)
            self._open.discard(client)

    def handle_request(self, listener_name: Any, req: Any, receiver: Any, addr: Any) -> Any:
        """Serve one request; a websocket's lasts until it closes, unless another transport takes it over."""
        from chassis.server.sender import Sender

        receiver.expect_body(req.unreader)
        sock, names = receiver.connection, {name for name, _ in req.headers}
        if "HOST" not in names and req.version > (1, 0):  # RFC 9112, 3.2
            raise InvalidHeader("HOST", req=req)
        try:
            if "UPGRADE" in names:
                self._websockets.add(sock)
                return super().handle_request(listener_name, req, sock, addr)
            answer = tuning.HeadAndBody(Sender(sock, self.answer_seconds))
            try:
                return super().handle_request(listener_name, req, answer, addr)
            finally:
                answer.flush()
        finally:
            self._websockets.discard(sock)
            self._turns.end()

    def handle_error(self, req: Any, receiver: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that is malformed did not arrive in time, or cannot be handed over."""
        from gunicorn import util
        from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

        if isinstance(exc, RequestTimeout):
            self.log.info("A request from %s did not come in time", addr[0] if addr else "a socket")
            with contextlib.suppress(OSError):
                util.write_error(receiver, 408, "Request Timeout", "The request did not come in time.")
            return
        receiver.linger()
        if isinstance(exc, ServiceUnavailable):
            with contextlib.suppress(OSError):
                util.write_error(receiver, 503, "Service Unavailable", "The session's worker is busy: try again.")
            return
        super().handle_error(req, receiver, addr, exc)

    def timeout_ctx(self) -> Any:
        """Return the context manager around the wait for a connection's next request."""
        return self._receivers[getcurrent()]

    def is_already_handled(self, respiter: Any) -> bool:
        """Return whether engine.io took the connection over as a websocket."""
        connection = self._receivers[getcurrent()].connection
        if connection in self._websockets:
            from chassis.server import hub

            if connection.fileno() < 0 or hub.current().ended_websocket():
                raise StopIteration
        return bool(super().is_already_handled(respiter))

"""A gunicorn worker on eventlet's green threads; gunicorn has had none since version 26."""

import contextlib
import os
import socket
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from greenlet import getcurrent
from gunicorn.http.errors import InvalidHeader
from gunicorn.workers.base_async import AsyncWorker

from chassis.base.environment import worker_number, workers_folder
from chassis.server import tuning
from chassis.server.patches import for_eventlet

TICK_SECONDS = 0.1
HANDOVER_TICK_SECONDS = 0.01  # while two workers accept, a poll may reach the worker that does not know its session
NOTIFY_SECONDS = 1.0
CLOSING_SECONDS = 1.0
IDLE_SECONDS = 1.0


class EventletWorker(AsyncWorker):  # type: ignore[misc]
    """Serves each connection in its own green thread."""

    wsgi: Any
    head_seconds: float  # set before the fork, like the next two
    body_seconds: float
    answer_seconds: float

    def init_process(self) -> None:
        """Patch the standard library here, after the fork: patching the master breaks gunicorn's own threads."""
        for_eventlet.patch_standard_library()
        self.accepting, self.clients_sent_away = True, False  # chassis.server.drain reads the first and sets the second
        self._open: set[Any] = set()
        self._idle: set[Any] = set()
        self._websockets: set[Any] = set()
        self._receivers: dict[Any, Any] = {}  # by green thread
        self._quitting, self._orphaned = False, False
        self._notified = 0.0
        self._turns = tuning.Turns()
        self._giver: Any = None  # both are used with several workers
        self._desk: Any = None
        super().init_process()

    def run(self) -> None:
        """Accept until told to stop and until a successor serves, then wait for open requests."""
        import eventlet

        from chassis.server.acceptor import Acceptor

        self.wsgi = self._knowing_when_to_close(self.wsgi)
        tuning.settle(self.cfg)
        pool = eventlet.GreenPool(self.worker_connections)
        self._share(pool)
        acceptors = [Acceptor(wrapped.sock, pool, self.handle) for wrapped in self.sockets]
        while self.alive:
            self._tick()
        deadline = time.monotonic() + self.cfg.graceful_timeout - 2 * CLOSING_SECONDS
        self.handover.begin()
        while not (self.handover.done() or self._quitting or self._orphaned):
            self._tick(HANDOVER_TICK_SECONDS)
        self.accepting = False
        for acceptor in acceptors:
            acceptor.stop()
        self._finish(deadline)

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

    def _tick(self, seconds: float = TICK_SECONDS) -> None:
        import eventlet

        if time.monotonic() - self._notified >= NOTIFY_SECONDS:
            self._notified = time.monotonic()
            self.notify()
            self._leave_with_the_master()
        eventlet.sleep(seconds)

    def _share(self, pool: Any) -> None:
        """Exchange connections with the other workers, if there are any."""
        if workers_folder():
            from chassis.server.several.desk import Desk
            from chassis.server.several.given import Giver
            from chassis.server.several.roster import Roster

            self._giver = Giver(worker_number(), Roster(worker_number()))
            self._desk = Desk(worker_number(), pool, self.handle)

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

    def _finish(self, deadline: float) -> None:
        """Wait until all connections have ended by themselves, or close them.

        A connection that waits for its client's next request can still receive it, and is closed after the answer.
        After IDLE_SECONDS it is shut down for reading only, so that a request that has already arrived is still
        answered.
        """
        began = time.monotonic()
        self._tick()  # connections accepted last begin
        while self._under_way() and not self._quitting and time.monotonic() < deadline:
            waited = time.monotonic() - began
            if waited >= IDLE_SECONDS:
                _shut(self._idle, socket.SHUT_RD)
            if self.clients_sent_away:  # websockets that are still open
                _shut(self._websockets, socket.SHUT_RDWR)
                self._close_desk()
            self._tick()
        if self._desk is not None:
            self._close_desk()
            self._tick()  # connections taken in last are answered

    def _close_desk(self) -> None:
        """Take no more connections from other workers, since no session is left."""
        if self._desk is not None:
            self._desk.close()

    def _under_way(self) -> bool:
        """Return whether a connection is open; eventlet's websocket closes its own under a reader that never wakes."""
        return any(client.fileno() >= 0 for client in self._open)

    def _leave_with_the_master(self) -> None:
        if self.ppid != os.getppid() and not self._orphaned:
            self.log.info("The master process is gone, so this worker stops.")
            self.alive, self._orphaned = False, True

    def timeout_ctx(self) -> Any:
        """Return the context manager around the wait for a connection's next request."""
        return self._receivers[getcurrent()]

    def is_already_handled(self, respiter: Any) -> bool:
        """Return whether engine.io took the connection over as a websocket."""
        if self._receivers[getcurrent()].connection in self._websockets:  # the check below is slow
            from eventlet import wsgi

            if getattr(wsgi.WSGI_LOCAL, "already_handled", None):
                wsgi.WSGI_LOCAL.already_handled = False
                raise StopIteration
        return bool(super().is_already_handled(respiter))

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once; only sets a flag, since a signal handler runs inside whichever green thread is current."""
        self._quitting = True
        self.alive = False

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """Reopen log files in a green thread, outside the signal handler."""
        import eventlet

        eventlet.spawn_n(self.log.reopen_files)


def _shut(connections: Iterable[Any], how: int) -> None:
    for connection in list(connections):
        with contextlib.suppress(OSError):
            connection.shutdown(how)

"""gunicorn's threaded worker, with a time limit for clients that do not read their response."""

import select
import socket
import ssl
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from chassis.server.sender import Sender


class ThreadedWorker(ThreadWorker):  # type: ignore[misc]
    """Serves each request in a thread, which a client that stops reading holds for a limited time."""

    answer_seconds: float  # set before the fork

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Serve one request; the limit is not for websockets, and not for TLS, whose sockets always wait."""
        sock = conn.sock
        if isinstance(sock, ssl.SSLSocket) or any(name == "UPGRADE" for name, _ in req.headers):
            return super().handle_request(req, conn)
        conn.sock = ThreadSender(sock, self.answer_seconds)
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock = sock


class ThreadSender(Sender):
    """A Sender for the blocking socket of a thread."""

    def send_now(self, data: memoryview) -> int:
        """Send what the socket takes without waiting; raise BlockingIOError if it takes nothing."""
        return int(self._connection.send(data, socket.MSG_DONTWAIT))

    def wait_writable(self, seconds: float | None) -> None:
        """Block this thread until the client has read something; raise TimeoutError after `seconds`."""
        poll = select.poll()
        poll.register(self._connection, select.POLLOUT)
        if not poll.poll(None if seconds is None else seconds * 1_000):
            raise TimeoutError

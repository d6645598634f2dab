"""Reads requests; a request for another worker's session leaves for that worker together with its connection."""

from collections.abc import Callable
from typing import Any

from gunicorn.http.errors import NoMoreData

from chassis.server.receiver import Receiver
from chassis.server.several import sids

Give = Callable[[bytes, bytes], bool]


class Sorter(Receiver):
    """Looks at the first line of each request before gunicorn parses it.

    `received` is the start of the first request if another worker has handed the connection over: that request stays
    here, so that no connection travels forever.
    """

    def __init__(self, *arguments: Any, give: Give, received: bytes = b"") -> None:
        super().__init__(*arguments)
        self._give = give  # called with a first line and what was read; returns whether the connection is gone
        self._ahead, self._sorted = received, bool(received)

    def __enter__(self) -> None:
        """Wait for a request; one that was read together with the previous one is sorted too."""
        super().__enter__()
        if self._unreader is not None:
            self._ahead, self._sorted = self._unreader.take_buffered(), False

    def recv(self, size: int) -> bytes:
        """Return received bytes; raise NoMoreData, as at the end of a connection, if it was handed over."""
        data, self._ahead = self._ahead or super().recv(size), b""
        if self._sorted:
            self._idle = self._idle and not data
            return data
        while data and not sids.has_line(data) and (more := super().recv(size)):
            data += more
        self._sorted = True
        self._waiting.discard(self.connection)  # a worker that stops would shut it down
        if self._give(sids.first_line(data), data):
            raise NoMoreData()
        return data

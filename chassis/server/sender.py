"""Sends answers with a time limit, even if the client does not read them."""

import errno
import logging
import os
import time
from typing import Any

from chassis.server import hub

BYTES_PER_SECOND = 500  # as for bodies: an answer that is read faster can take any time

log = logging.getLogger("gunicorn.error")


class Sender:
    """Sends answers on a connection; only the time during which the server waits for the client to read counts.

    An answer has a budget of `seconds`, which sent bytes refill: the client can pause for that long and read slowly,
    but not trickle. 0 means no limit. Raises BrokenPipeError, as if the client had disconnected.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds or None
        self._left = self._seconds

    def sendall(self, data: bytes) -> None:
        """Send all data."""
        left = memoryview(data)
        while left:
            try:
                sent = self.send_now(left)
            except BlockingIOError:
                self._wait()
                continue
            left = left[sent:]
            if self._left is not None and self._seconds is not None:
                self._left = min(self._seconds, self._left + sent / BYTES_PER_SECOND)

    def send_now(self, data: memoryview) -> int:
        """Send what the socket takes without waiting; raise BlockingIOError if it takes nothing."""
        return int(hub.current().raw(self._connection).send(data))

    def wait_writable(self, seconds: float | None) -> None:
        """Let others run until the client has read something; raise TimeoutError after `seconds`."""
        hub.current().wait_writable(self._connection, seconds)

    def _wait(self) -> None:
        began = time.monotonic()
        try:
            if self._left is not None and self._left <= 0:
                raise TimeoutError
            self.wait_writable(self._left)
        except TimeoutError:
            log.info("A client did not read its response in time, so its connection is closed.")
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None  # others are logged as errors
        finally:
            if self._left is not None:
                self._left -= time.monotonic() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

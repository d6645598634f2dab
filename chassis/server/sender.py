"""What a client is sent: an answer has an end, also when its client does not take it."""

import logging
import time
from typing import Any

from eventlet.hubs import trampoline

BYTES_PER_SECOND = 500  # as for bodies: who takes an answer faster may take any time

log = logging.getLogger("gunicorn.error")


class Sender:
    """Sends answers on a connection; only the time counts in which the server waits for its client to take them.

    An answer has `seconds`, which the bytes that are taken fill up again, so its client may pause for so long and read
    slowly, but not trickle. 0 is any time. Raises BrokenPipeError, as when the client is gone.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection, self._seconds = connection, seconds or None
        self._left = self._seconds

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        left = memoryview(data)
        while left:
            try:
                sent = self._connection.fd.send(left)
            except BlockingIOError:
                self._wait()
                continue
            left = left[sent:]
            if self._left is not None and self._seconds is not None:
                self._left = min(self._seconds, self._left + sent / BYTES_PER_SECOND)

    def _wait(self) -> None:
        began = time.monotonic()
        try:
            if self._left is not None and self._left <= 0:
                raise TimeoutError
            trampoline(self._connection.fd, write=True, timeout=self._left, timeout_exc=TimeoutError)
        except TimeoutError:
            log.info("A client did not read its response in time, so its connection is closed.")
            raise BrokenPipeError from None
        finally:
            if self._left is not None:
                self._left -= time.monotonic() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

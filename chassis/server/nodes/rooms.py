"""The rooms of several machines: what one emits reaches the clients of all, through Redis."""

import atexit
import logging
import queue
import time
from collections.abc import Iterator

from chassis.base.concurrency import original
from chassis.server.manager import SharedRooms
from chassis.server.nodes.line import Line
from chassis.server.nodes.watch import Watch
from chassis.server.patches.for_socketio import Message

log = logging.getLogger(__name__)
WAITING_MESSAGES = 10_000
FLUSH_SECONDS = 1.0


class RedisRooms(SharedRooms):
    """python-socketio's manager for several processes, with Redis as its channel.

    Nobody who emits waits for Redis. Events of other nodes are sent to clients by the thread that reads; disconnects,
    changes of rooms and answers to callbacks, which may run the application's code, are handled in a thread of their
    own. Messages of processes that number nothing, such as python-socketio's own `RedisManager`, are handled too.
    """

    name = "redis"

    def __init__(self, url: str, channel: str) -> None:
        super().__init__(channel=channel)
        self._line = Line(url, channel, self.host_id, self._take)
        self._beginning, self._begun = original("threading", "Lock")(), False
        self._later: queue.Queue[Message] = queue.Queue(WAITING_MESSAGES)

    def initialize(self) -> None:
        """Begin to send and to read; also called before the first client, so that what it missed is known."""
        with self._beginning:
            begun, self._begun = self._begun, True
        if not begun:
            super().initialize()
            self.server.start_background_task(self._line.send)
            self.server.start_background_task(self._line.read)
            atexit.register(self.flush)

    def watched_by(self, watch: Watch) -> None:
        """Tell `watch` about Redis from now on."""
        self._line.watch = watch

    def flush(self) -> None:
        """Send all messages and a farewell, for at most FLUSH_SECONDS, before this process ends."""
        if self._begun:
            until = time.monotonic() + FLUSH_SECONDS
            self._send_all(until)
            self._line.leave()
            self._send_all(until)

    def _send_all(self, until: float) -> None:
        while self._line.waits and time.monotonic() < until:
            self.server.sleep(0.01)

    def _publish(self, data: Message) -> None:
        self._line.append(data)
        if not self._begun:
            self.initialize()

    def _take(self, message: Message) -> None:
        if message["method"] == "emit":
            self._handle_emit(message)
            return
        try:
            self._later.put_nowait(message)
        except queue.Full:
            log.error("Too many messages of other nodes wait for their handlers: one is lost")

    def _listen(self) -> Iterator[Message]:
        while True:
            yield self._later.get()

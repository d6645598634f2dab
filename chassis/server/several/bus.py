"""The rooms of several workers on one machine: what one emits reaches the clients of all."""

import contextlib
import json
import logging
import queue
import threading
from collections.abc import Iterator

from chassis.base.environment import worker_number
from chassis.server.manager import SharedRooms
from chassis.server.patches.for_socketio import NUMBERED, Message
from chassis.server.several.bell import Bell
from chassis.server.several.outbox import Outbox
from chassis.server.several.ring import Ring

log = logging.getLogger(__name__)
WAITING_MESSAGES = 10_000


class BusRooms(SharedRooms):
    """python-socketio's manager for several processes, with the ring as its channel.

    Events are sent in the order of the ring. Disconnects, changes of rooms and answers to callbacks, which may run the
    application's code, are handled one after the other in a thread of their own.
    """

    name = "bus"

    def __init__(self) -> None:
        super().__init__()
        self._ring, self._bell = Ring(), Bell(worker_number())
        self._outbox = Outbox(self._ring, self._bell.ring)
        self._reading, self._begun = threading.RLock(), False
        self._later: queue.Queue[Message] = queue.Queue(WAITING_MESSAGES)

    def initialize(self) -> None:
        """Begin to read; also called before the first client, so that what it missed is known."""
        if not self._begun:
            self._begun = True
            super().initialize()
            self.server.start_background_task(self._read)

    def catch_up(self) -> None:
        """Handle all messages that are there; a message that this process published is among them.

        While a worker that is stopped holds the lock of the messages, all of them wait.
        """
        with self._reading, contextlib.suppress(TimeoutError):
            while messages := self._ring.read():
                if self._ring.lost:
                    self._resynchronize()
                for number, text in messages:
                    self._take(json.loads(text), number)

    def _take(self, message: Message, number: int) -> None:
        """Handle a message; one that is numbered reaches this worker's own clients by the ring, too."""
        try:
            if message["method"] == "callback":
                self._put_off(message)
            elif message.get(NUMBERED):
                self._handle_emit(message | {"number": number})
            elif message["host_id"] == self.host_id:
                return
            elif message["method"] == "emit":
                self._handle_emit(message)
            else:
                self._put_off(message)
        except Exception:
            log.exception("A message of another worker failed")

    def _put_off(self, message: Message) -> None:
        try:
            self._later.put_nowait(message)
        except queue.Full:
            log.error("Too many messages of other workers wait for their handlers: one is lost")

    def _resynchronize(self) -> None:
        """Let this worker's clients connect again, since it was too slow and missed messages for them."""
        lost, self._ring.lost = self._ring.lost, 0
        log.error("This worker missed messages up to number %d: its clients connect again", lost)
        self.forget_before(lost)
        for connection in list(self.server.eio.sockets.values()):
            if hasattr(connection, "go_away"):
                connection.go_away()
            else:
                self.server.start_background_task(connection.close, wait=False)

    def forget_before(self, number: int) -> None:
        """Do nothing; whoever keeps events for clients that come back replaces this."""

    def _publish(self, data: Message) -> None:
        self._outbox.put(json.dumps(data).encode())
        if data.get(NUMBERED):
            self.catch_up()

    def _read(self) -> None:
        while True:
            try:
                self._bell.wait()
                self._outbox.send()
                self.catch_up()
            except Exception:
                log.exception("The messages of other workers cannot be read")
                self.server.sleep(1)

    def _listen(self) -> Iterator[Message]:
        while True:
            yield self._later.get()

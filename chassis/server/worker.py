"""gunicorn workers on green threads, eventlet's or gevent's, with time limits and a drain that gunicorn's own lack."""

import contextlib
import os
import socket
import time
from collections.abc import Iterable
from typing import Any

from chassis.base.environment import worker_number, workers_folder
from chassis.server import tuning
from chassis.server.http_worker import HttpWorker
from chassis.server.patches import for_eventlet, for_gevent

TICK_SECONDS = 0.1
HANDOVER_TICK_SECONDS = 0.01  # while two workers accept, a poll may reach the worker that does not know its session
NOTIFY_SECONDS = 1.0
CLOSING_SECONDS = 1.0
IDLE_SECONDS = 1.0


class GreenWorker(HttpWorker):
    """Accepts connections until it is told to stop, and then lets open ones end."""

    def init_process(self) -> None:
        """Patch the standard library here, after the fork: patching the master breaks gunicorn's own threads."""
        self.patch()
        self.accepting, self.clients_sent_away = True, False  # chassis.server.drain reads the first and sets the second
        self._quitting, self._orphaned = False, False
        self._notified = 0.0
        super().init_process()

    def patch(self) -> None:
        """Patch the standard library."""
        raise NotImplementedError

    def run(self) -> None:
        """Accept until told to stop and until a successor serves, then wait for open requests."""
        from chassis.server.acceptor import Acceptor, Room

        self.wsgi = self._knowing_when_to_close(self.wsgi)
        tuning.settle(self.cfg)
        room = Room(self.worker_connections)
        self._share(room)
        acceptors = [Acceptor(wrapped.sock, room, self.handle) for wrapped in self.sockets]
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

    def _tick(self, seconds: float = TICK_SECONDS) -> None:
        from chassis.server import hub

        if time.monotonic() - self._notified >= NOTIFY_SECONDS:
            self._notified = time.monotonic()
            self.notify()
            self._leave_with_the_master()
        hub.current().sleep(seconds)

    def _share(self, room: Any) -> None:
        """Exchange connections with the other workers, if there are any."""
        if workers_folder():
            from chassis.server.several.desk import Desk
            from chassis.server.several.given import Giver
            from chassis.server.several.roster import Roster

            self._giver = Giver(worker_number(), Roster(worker_number()))
            self._desk = Desk(worker_number(), room, self.handle)

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

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once; only sets a flag, since a signal handler runs inside whichever green thread is current."""
        self._quitting = True
        self.alive = False

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """Reopen log files in a green thread, outside the signal handler."""
        from chassis.server import hub

        hub.current().spawn(self.log.reopen_files)


class EventletWorker(GreenWorker):
    """Serves under eventlet; gunicorn has had no such worker since version 26."""

    def patch(self) -> None:
        """Patch the standard library by eventlet."""
        for_eventlet.patch_standard_library()


class GeventWorker(GreenWorker):
    """Serves under gevent; gunicorn's own gevent worker has no time limits and no handover."""

    def patch(self) -> None:
        """Patch the standard library by gevent."""
        for_gevent.patch_standard_library()


def _shut(connections: Iterable[Any], how: int) -> None:
    """Shut connections down beneath the library: gevent would raise in the green threads that wait for them."""
    from chassis.server import hub

    for connection in list(connections):
        with contextlib.suppress(OSError):
            hub.current().raw(connection).shutdown(how)

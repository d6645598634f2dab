"""Drains a worker in every ASYNC_MODE: clients are told to reconnect, jobs are released."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from chassis.base.environment import worker_number, workers_folder
from chassis.server.several.roster import Roster

log = logging.getLogger(__name__)
WATCH_SECONDS = 0.1
BATCHES = 10
SECONDS_PER_CLIENT = 0.0005  # clients add a random delay of their own
SPREAD_SECONDS = 2.0
RETRY_SECONDS = 1.0  # within which a client tries again; more for more clients, so that a new worker can greet them
NOTICE_SECONDS = 0.2  # the JavaScript client discards data that it reads together with the end of the connection
HANDLERS_SECONDS = 3.0


class Drain:
    """Watches a worker; when it stops accepting, disconnects its Socket.IO clients and runs `on_stop` meanwhile."""

    def __init__(self, worker: Any, server: Any, on_stop: Callable[[], None]) -> None:
        self._worker, self._server, self._on_stop = worker, server, on_stop
        self._roster = Roster(worker_number()) if workers_folder() else None
        self._stopping = threading.Lock()
        self._sent_away = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="drain", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    @property
    def draining(self) -> bool:
        """Whether the worker was told to stop."""
        return not self._worker.alive

    def finish(self) -> None:
        """Wait until the clients are disconnected and `on_stop` has run; the worker exits afterwards."""
        if self.draining:
            self._sent_away.wait(SPREAD_SECONDS + HANDLERS_SECONDS)
        self._stop()

    def _watch(self) -> None:
        while not self.draining or getattr(self._worker, "accepting", False):
            self._report()
            time.sleep(WATCH_SECONDS)
        threading.Thread(target=self._stop, name="drain-jobs", daemon=True).start()
        send_away(self._server)
        self._sent_away.set()
        while True:  # close sessions that began on connections which were still open
            time.sleep(WATCH_SECONDS)
            self._worker.clients_sent_away = True
            _close_all(list(self._server.eio.sockets.values()))

    def _report(self) -> None:
        """Tell the other workers how many sessions there are here; a draining worker gets no new ones."""
        if self._roster is not None:
            self._roster.report(len(self._server.eio.sockets), serves=not self.draining)
            census = getattr(self._server.eio, "census", None)  # a library's own server has none
            if census is not None:  # an empty one is false
                census.give_room()

    def _stop(self) -> None:
        with self._stopping:
            on_stop, self._on_stop = self._on_stop, _nothing
            on_stop()


def send_away(server: Any) -> None:
    """Tell all clients of a Socket.IO server to reconnect, and wait until their disconnect handlers have run.

    Connections are closed in batches and in random order, so that clients do not all reach the new worker at once.
    Clients see a lost transport: the JavaScript client would not reconnect after a Socket.IO disconnect packet.
    """
    began = time.monotonic()
    server.eio.stopping = True
    connections = random.sample(found := list(server.eio.sockets.values()), len(found))
    spread = min(SPREAD_SECONDS, len(connections) * SECONDS_PER_CLIENT)
    _announce(server, spread, max(RETRY_SECONDS, len(connections) * SECONDS_PER_CLIENT))
    time.sleep(NOTICE_SECONDS if connections else 0)
    handlers = []
    for start in range(BATCHES):
        handlers += _close_all(connections[start::BATCHES])
        time.sleep(spread / BATCHES * random.uniform(0.5, 1.5))
    deadline = time.monotonic() + HANDLERS_SECONDS
    while _busy(server.eio, handlers) and time.monotonic() < deadline:
        time.sleep(WATCH_SECONDS / 2)
    log.info("Sent %d clients away in %.1f s", len(connections), time.monotonic() - began)


def _announce(server: Any, spread: float, retry: float) -> None:
    told = {"within_seconds": spread, "retry_seconds": retry}
    for namespace in list(server.manager.get_namespaces()):
        try:
            server.emit("server:draining", told, namespace=namespace, ignore_queue=True)
        except Exception:
            log.exception("Could not announce that this worker is stopping")


def _close_all(connections: list[Any]) -> list[threading.Thread]:
    """Close connections; return the threads in which the stock transport runs its disconnect handlers."""
    threads = []
    for connection in connections:
        if hasattr(connection, "go_away"):
            connection.go_away()
        elif not connection.closing:
            threads.append(threading.Thread(target=_close, args=(connection,), daemon=True))
            threads[-1].start()
    return threads


def _close(connection: Any) -> None:
    try:
        connection.close(wait=False)
    except Exception:
        log.debug("A connection was already gone", exc_info=True)


def _busy(engine: Any, handlers: list[threading.Thread]) -> bool:
    return any(thread.is_alive() for thread in handlers) or getattr(engine, "saying_goodbye", False)


def _nothing() -> None:
    return None

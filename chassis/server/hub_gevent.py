"""gevent's hub."""

import contextlib
import os
from typing import Any

import gevent
from gevent import socket
from gevent.event import AsyncResult

from chassis.base.concurrency import original
from chassis.server.hub import Work

READ, WRITE = 1, 2  # of libev and libuv


class GeventHub:
    """The hub of gevent; chassis.server.hub.Hub documents the methods."""

    def __init__(self) -> None:
        self.greenlet = gevent.get_hub()
        self._loop = self.greenlet.loop

    def soon(self, work: Work, *args: Any) -> None:
        self._loop.run_callback(work, *args)

    def later(self, seconds: float, work: Work, *args: Any) -> None:
        timer = self._loop.timer(seconds)
        timer.start(_fire, timer, work, args, update=True)

    def reading(self, descriptor: int, work: Work, lost: Work) -> Any:
        watcher = self._loop.io(descriptor, READ)
        watcher.start(work, descriptor)
        return watcher

    def writing(self, descriptor: int, work: Work, lost: Work) -> Any:
        watcher = self._loop.io(descriptor, WRITE)
        watcher.start(work, descriptor)
        return watcher

    def stop(self, watch: Any) -> None:
        watch.close()

    def spawn(self, work: Work, *args: Any) -> None:
        gevent.spawn_raw(work, *args)

    def sleep(self, seconds: float) -> None:
        with self._loop.timer(seconds) as timer:  # gevent.sleep(0) lets 50 other callbacks run, but no connection
            self._loop.update_now()
            self.greenlet.wait(timer)

    def wait_readable(self, sock: Any, seconds: float | None) -> None:
        socket.wait(sock._read_event, seconds, TimeoutError)  # a new watcher would cost a system call

    def wait_writable(self, sock: Any, seconds: float | None) -> None:
        socket.wait(sock._write_event, seconds, TimeoutError)

    def time_limit(self, seconds: float) -> Any:
        return gevent.Timeout(seconds, False)

    def event(self) -> "Event":
        return Event()

    def forget(self, sock: Any) -> None:
        """libev unregisters a descriptor by its closing, which does not help while another process has it open.

        The next event would make libev register all descriptors again.
        """
        if self._loop.backend == "epoll":
            epoll = original("select", "epoll")
            with contextlib.suppress(OSError), epoll.fromfd(os.dup(self._loop.fileno())) as registered:
                registered.unregister(sock.fileno())

    def raw(self, sock: Any) -> Any:
        return sock._sock

    def ended_websocket(self) -> bool:
        return False  # simple-websocket raises StopIteration


class Event:
    """One value, for which one green thread waits."""

    __slots__ = ("_result",)

    def __init__(self) -> None:
        self._result = AsyncResult()

    def send(self, value: Any) -> None:
        """Wake the green thread that waits."""
        self._result.set(value)

    def wait(self) -> Any:
        """Wait for the value and return it."""
        return self._result.get()


def _fire(timer: Any, work: Work, args: tuple[Any, ...]) -> None:
    timer.close()
    work(*args)

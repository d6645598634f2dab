"""eventlet's hub."""

import contextlib
from typing import Any

import eventlet
from eventlet import hubs, wsgi
from eventlet.event import Event
from eventlet.hubs.hub import READ, WRITE

from chassis.server.hub import Work


class EventletHub:
    """The hub of eventlet; chassis.server.hub.Hub documents the methods."""

    def __init__(self) -> None:
        self._hub = hubs.get_hub()
        self.greenlet = self._hub.greenlet

    def soon(self, work: Work, *args: Any) -> None:
        self._hub.schedule_call_global(0, work, *args)

    def later(self, seconds: float, work: Work, *args: Any) -> None:
        self._hub.schedule_call_global(seconds, work, *args)

    def reading(self, descriptor: int, work: Work, lost: Work) -> Any:
        return self._hub.add(READ, descriptor, work, lost, _ignore)

    def writing(self, descriptor: int, work: Work, lost: Work) -> Any:
        return self._hub.add(WRITE, descriptor, work, lost, _ignore)

    def stop(self, watch: Any) -> None:
        if not watch.spent:
            with contextlib.suppress(KeyError):
                self._hub.remove(watch)

    def spawn(self, work: Work, *args: Any) -> None:
        eventlet.spawn_n(work, *args)

    def sleep(self, seconds: float) -> None:
        eventlet.sleep(seconds)

    def wait_readable(self, sock: Any, seconds: float | None) -> None:
        hubs.trampoline(sock.fd, read=True, timeout=seconds, timeout_exc=TimeoutError)

    def wait_writable(self, sock: Any, seconds: float | None) -> None:
        hubs.trampoline(sock.fd, write=True, timeout=seconds, timeout_exc=TimeoutError)

    def time_limit(self, seconds: float) -> Any:
        return eventlet.Timeout(seconds, False)

    def event(self) -> Any:
        return Event()

    def forget(self, sock: Any) -> None:
        """Do nothing, since eventlet watches only while something waits."""

    def raw(self, sock: Any) -> Any:
        return sock.fd

    def ended_websocket(self) -> bool:
        ended = bool(getattr(wsgi.WSGI_LOCAL, "already_handled", False))
        wsgi.WSGI_LOCAL.already_handled = False
        return ended


def _ignore(_closed: Any = None) -> None:
    """Do nothing when eventlet marks a descriptor as closed."""

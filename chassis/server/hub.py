"""The event loop of a worker, in one interface for eventlet and gevent.

`current` chooses once. A green thread is one that yields whenever it waits.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Protocol

from chassis.base.concurrency import current_mode

Work = Callable[..., Any]


class Event(Protocol):
    """One value, for which one green thread waits."""

    def send(self, value: Any) -> None:
        """Wake the green thread that waits."""

    def wait(self) -> Any:
        """Wait for the value and return it."""


class Hub(Protocol):
    """Callbacks run in the hub's own green thread, where nothing may wait or raise."""

    greenlet: Any  # in which callbacks run; the parent of further green threads

    def soon(self, work: Work, *args: Any) -> None:
        """Call back as soon as the present green thread waits."""

    def later(self, seconds: float, work: Work, *args: Any) -> None:
        """Call back after a delay; after 0 seconds other connections have had their turn."""

    def reading(self, descriptor: int, work: Work, lost: Work) -> Any:
        """Call `work(descriptor)` whenever there is data, `lost(...)` if the descriptor turns out to be closed."""

    def writing(self, descriptor: int, work: Work, lost: Work) -> Any:
        """Call `work(descriptor)` whenever data can be written, `lost(...)` as above."""

    def stop(self, watch: Any) -> None:
        """End the callbacks that `reading` or `writing` began; may be repeated."""

    def spawn(self, work: Work, *args: Any) -> None:
        """Run work in a green thread of its own."""

    def sleep(self, seconds: float) -> None:
        """Wait; for 0 seconds until other connections have had their turn."""

    def wait_readable(self, sock: Any, seconds: float | None) -> None:
        """Wait until a socket has data; raise TimeoutError after `seconds`."""

    def wait_writable(self, sock: Any, seconds: float | None) -> None:
        """Wait until a socket takes data; raise TimeoutError after `seconds`."""

    def time_limit(self, seconds: float) -> AbstractContextManager[Any]:
        """Return a context manager that leaves its block after `seconds`."""

    def event(self) -> Event:
        """Return a new event."""

    def forget(self, sock: Any) -> None:
        """Stop watching a socket whose connection another process has, before it is closed here."""

    def raw(self, sock: Any) -> Any:
        """Return the non-blocking socket inside a green one."""

    def ended_websocket(self) -> bool:
        """Return, once, whether the library's own websocket has served the request of this green thread."""


@cache
def current() -> Hub:
    """Return the hub of this process: gevent's if gevent has patched it, otherwise eventlet's."""
    if current_mode() == "gevent":
        from chassis.server.hub_gevent import GeventHub

        return GeventHub()
    from chassis.server.hub_eventlet import EventletHub

    return EventletHub()

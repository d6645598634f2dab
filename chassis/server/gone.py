"""Notices that the client of a request has hung up, while its answer is still being made."""

import select
from typing import Any

from chassis.base.concurrency import original

# On Linux also a client that will send nothing more, even if it has sent something that is unread.
HUNG_UP = select.POLLHUP | select.POLLERR | select.POLLNVAL | getattr(select, "POLLRDHUP", 0)


def is_gone(environ: dict[str, Any]) -> bool:
    """Return whether the client of a request has closed its connection, as far as can be seen without writing."""
    sock = environ.get("gunicorn.socket")
    return sock is not None and has_hung_up(sock)


def has_hung_up(sock: Any) -> bool:
    """Return whether the other end of a connection has closed it, as far as can be seen without writing."""
    return _shows(sock, HUNG_UP)


def is_idle(sock: Any) -> bool:
    """Return whether a kept connection can be used again: it is open, and nothing has come that nobody asked for."""
    return not _shows(sock, HUNG_UP | select.POLLIN)


def _shows(sock: Any, events: int) -> bool:
    descriptor = sock.fileno()
    if descriptor < 0:
        return True
    look = original("select", "poll")()
    look.register(descriptor, events)
    return bool(look.poll(0))

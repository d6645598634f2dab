"""Notices that the client of a request has hung up, while its answer is still being made."""

import socket
from typing import Any

from chassis.base.concurrency import current_mode
from chassis.server import hub


def is_gone(environ: dict[str, Any]) -> bool:
    """Return whether the client of a request has closed its connection, as far as can be seen without writing."""
    sock = environ.get("gunicorn.socket")
    if sock is None:
        return False
    try:
        raw = sock if current_mode() == "threading" else hub.current().raw(sock)
        return not raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (BlockingIOError, ValueError):  # nothing to read; or TLS, which cannot be looked into
        return False
    except OSError:
        return True

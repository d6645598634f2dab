"""Limits for the websockets of eventlet and simple-websocket, which python-engineio serves."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from chassis.server.patches import for_eventlet

LOOK_SECONDS = 1.0


def receiving(websocket: Any, max_bytes: int, seconds: float) -> Callable[[], str | bytes | None]:
    """Return a function that waits for the next message and returns None if no more will come."""
    if hasattr(websocket, "ws"):
        return partial(_receive, websocket.ws, seconds)
    for_eventlet.limit_messages(websocket, max_bytes)
    wait: Callable[[], str | bytes | None] = websocket.wait
    return wait


def _receive(websocket: Any, seconds: float) -> str | bytes | None:
    """Receive with a time limit; simple-websocket would wait forever, even after it closed the connection.

    It announces a message that is too large before it notes that the connection has ended, so a wait may miss the end.
    """
    from simple_websocket import ConnectionClosed

    deadline = time.monotonic() + seconds  # a client answers pings in that time
    message: str | bytes | None = None
    try:
        while message is None and time.monotonic() < deadline:
            message = websocket.receive(timeout=LOOK_SECONDS)
    except ConnectionClosed:
        return None
    return message

"""Limits for the websockets of eventlet and simple-websocket, which python-engineio serves."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chassis.server.patches import for_eventlet


def receiving(websocket: Any, max_bytes: int, seconds: float) -> Callable[[], str | bytes | None]:
    """Return a function that waits for the next message and returns None if no more will come."""
    if hasattr(websocket, "ws"):
        return partial(_receive, websocket.ws, seconds)
    for_eventlet.limit_messages(websocket, max_bytes)
    wait: Callable[[], str | bytes | None] = websocket.wait
    return wait


def _receive(websocket: Any, seconds: float) -> str | bytes | None:
    """Receive with a time limit; simple-websocket would wait forever, even after it closed the connection."""
    from simple_websocket import ConnectionClosed

    try:
        message: str | bytes | None = websocket.receive(timeout=seconds)  # a client answers pings in that time
    except ConnectionClosed:
        return None
    return message

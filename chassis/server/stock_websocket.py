"""Limits for the websockets of eventlet and simple-websocket, which python-engineio serves."""

from collections.abc import Callable
from functools import partial
from typing import Any

MAX_FRAGMENTS = 1_000  # of a message
TOO_BIG = 1009  # RFC 6455, 7.4.1


def receiving(websocket: Any, max_bytes: int, seconds: float) -> Callable[[], str | bytes | None]:
    """Return a function that waits for the next message, and returns None when there is none to come."""
    if hasattr(websocket, "ws"):
        return partial(_receive, websocket.ws, seconds)
    websocket._recv_frame = _within(websocket._recv_frame, max_bytes)
    wait: Callable[[], str | bytes | None] = websocket.wait
    return wait


def _receive(websocket: Any, seconds: float) -> str | bytes | None:
    """Receive by simple-websocket, which would wait without an end, also for what it has closed itself."""
    from simple_websocket import ConnectionClosed

    try:
        message: str | bytes | None = websocket.receive(timeout=seconds)  # a client answers pings in that time
    except ConnectionClosed:
        return None
    return message


def _within(receive_frame: Callable[..., Any], max_bytes: int) -> Callable[..., Any]:
    """Return eventlet's way to receive a frame with a limit of the whole message; its own is of each frame."""
    from eventlet.websocket import FailedConnectionError

    size = pieces = fragments = 0

    def receive(message: Any = None) -> Any:
        nonlocal size, pieces, fragments
        if message is None:
            size = pieces = fragments = 0
        received = receive_frame(message=message)
        if received.opcode & 8:  # a control frame between the others
            return received
        size, pieces, fragments = size + sum(map(len, received.data[pieces:])), len(received.data), fragments + 1
        if size > max_bytes or fragments > MAX_FRAGMENTS:
            raise FailedConnectionError(TOO_BIG, "Message is too big")
        return received

    return receive

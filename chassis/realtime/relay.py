"""Carries what one process publishes to the others, by the Redis channel that Socket.IO uses already."""

from typing import Any

from chassis.extensions import socketio
from chassis.realtime import recovery
from chassis.server.patches import for_socketio

NUMBERED = "numbered"  # marks a message whose receiver numbers it before it sends it on


def attach() -> None:
    """Number what other processes publish when it arrives here; without Redis there are no others."""
    for_socketio.receive(socketio.server.manager, _deliver)


def numbers() -> bool:
    """Return whether other processes, if there are any, number what this one sends them."""
    return for_socketio.carries_messages(socketio.server.manager)


def send(room: str, event: str, data: dict[str, Any]) -> None:
    """Tell the other processes; one that does not know the mark sends it on without a number."""
    message = {"method": "emit", "event": event, "data": [data], "namespace": "/", "room": room, NUMBERED: True}
    for_socketio.send(socketio.server.manager, message)


def _deliver(message: dict[str, Any]) -> bool:
    if not message.get(NUMBERED):
        return False
    recovery.deliver(message["room"], message["event"], message["data"][0])
    return True

"""Forwards what one process publishes to the others, through the Redis channel that Socket.IO already uses."""

from typing import Any

from chassis.extensions import socketio
from chassis.realtime import recovery
from chassis.server.patches import for_socketio

NUMBERED = "numbered"  # marks a message that the receiver numbers before sending it to clients


def attach() -> None:
    """Number what other processes publish when it arrives; without Redis nothing arrives."""
    for_socketio.receive(socketio.server.manager, _deliver)


def numbers() -> bool:
    """Return whether all other processes, if any, number the messages that they receive."""
    return for_socketio.carries_messages(socketio.server.manager)


def send(room: str, event: str, data: dict[str, Any]) -> None:
    """Send an event to the other processes; one that ignores the mark delivers it without a number."""
    message = {"method": "emit", "event": event, "data": [data], "namespace": "/", "room": room, NUMBERED: True}
    for_socketio.send(socketio.server.manager, message)


def _deliver(message: dict[str, Any]) -> bool:
    if not message.get(NUMBERED):
        return False
    recovery.deliver(message["room"], message["event"], message["data"][0])
    return True

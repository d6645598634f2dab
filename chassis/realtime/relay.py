"""Carries what one process publishes to the others, by the Redis channel that Socket.IO uses already."""

from typing import Any

from chassis.extensions import socketio
from chassis.realtime import recovery

NUMBERED = "numbered"  # marks a message whose receiver numbers it before it sends it on


def attach() -> None:
    """Number what other processes publish when it arrives here; without Redis there are no others."""
    manager = socketio.server.manager
    if not hasattr(manager, "_publish"):
        return
    handle_emit = manager._handle_emit

    def handle(message: dict[str, Any]) -> None:
        if message.get(NUMBERED):
            recovery.deliver(message["room"], message["event"], message["data"][0])
        else:
            handle_emit(message)

    manager._handle_emit = handle


def send(room: str, event: str, data: dict[str, Any]) -> None:
    """Tell the other processes; one that does not know the mark sends it on without a number."""
    manager = socketio.server.manager
    if not hasattr(manager, "_publish"):
        return
    message = {"method": "emit", "event": event, "data": [data], "namespace": "/", "room": room}
    manager._publish(message | {"host_id": manager.host_id, NUMBERED: True})

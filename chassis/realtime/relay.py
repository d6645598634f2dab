"""Carries what one process publishes to the others, through the channel that Socket.IO's own events take too.

The channel is Redis or, for the workers of one machine, their shared memory. There all workers receive an event with
its number; behind Redis, each process numbers it for its own clients.
"""

from collections.abc import Callable
from typing import Any

from chassis.base.environment import worker_number
from chassis.extensions import socketio
from chassis.realtime import recovery, revocation
from chassis.server.patches import for_socketio
from chassis.server.patches.for_socketio import NUMBERED

RIGHTS = "rights"  # marks a message that rights have changed
TOLD = "told"  # marks a message from one process to the others
_listeners: list[Callable[[dict[str, Any]], None]] = []


def share() -> None:
    """Number events together with the other workers of this machine, if there are any and Redis is not used."""
    manager = socketio.server.manager
    if worker_number() and hasattr(manager, "catch_up") and numbers():
        recovery.streams.share(send, manager.catch_up)
        manager.forget_before = recovery.streams.forget_before


def attach() -> None:
    """Receive what other processes send; without other processes nothing arrives."""
    for_socketio.receive(socketio.server.manager, _take)
    revocation.announce_by(tell_rights)
    if hasattr(socketio.server.manager, "catch_up"):
        socketio.server.manager.initialize()


def numbers() -> bool:
    """Return whether all other processes, if any, number the messages that they receive."""
    return for_socketio.carries_messages(socketio.server.manager)


def publish(room: str, event: str, data: dict[str, Any]) -> None:
    """Send an event to the clients of all processes, with its number."""
    recovery.deliver(room, event, data)
    if not hasattr(socketio.server.manager, "catch_up"):
        send(room, event, data)


def send(room: str, event: str, data: dict[str, Any], version: int | None = None) -> None:
    """Send an event to the other processes; one that ignores the mark delivers it without a number."""
    message = {"method": "emit", "event": event, "data": [data], "namespace": "/", "room": room, NUMBERED: True}
    for_socketio.send(socketio.server.manager, message | ({} if version is None else {"version": version}))


def tell_rights() -> None:
    """Let the other processes look at once for sockets that have lost their rights."""
    nobody = {"method": "emit", "event": RIGHTS, "data": [], "namespace": "/", "room": RIGHTS, RIGHTS: True}
    for_socketio.send(socketio.server.manager, nobody)


def listen(listener: Callable[[dict[str, Any]], None]) -> None:
    """Call `listener` with what other processes `tell`."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(said: dict[str, Any]) -> None:
    """Tell something to the other processes, and not to clients."""
    nobody = {"method": "emit", "event": TOLD, "data": [], "namespace": "/", "room": TOLD, TOLD: said}
    for_socketio.send(socketio.server.manager, nobody)


def _take(message: dict[str, Any]) -> bool:
    if message.get(RIGHTS):
        revocation.look_soon()
        return True
    if said := message.get(TOLD):
        for listener in _listeners:
            listener(said)
        return True
    if not message.get(NUMBERED):
        return False
    event = message["room"], message["event"], message["data"][0]
    recovery.streams.take(*event, message.get("number"), message.get("version"))
    return True

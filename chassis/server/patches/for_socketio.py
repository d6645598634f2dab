"""Patches of python-socketio and python-engineio: checks for both transports, and our messages in the queue.

Tested with the versions of python-socketio and python-engineio in guard.TESTED.
"""

from collections.abc import Callable
from typing import Any

from chassis.server.patches import guard

Message = dict[str, Any]
STOCK = "Sockets are served by the libraries' own transport, which is slower (SOCKET_TRANSPORT=stock)."
ENGINE = (
    "engineio:Server._cors_allowed_origins(self, environ)",
    "engineio:Server._cors_headers(self, environ)",
    "engineio:Server._deflate(self, response)",
    "engineio:Server._gzip(self, response)",
    "engineio:Server._trigger_event(self, event, args, kwargs)",
    "engineio:Server.generate_id(self)",
)
OWN = (
    "Sockets are served by python-socketio's own server. The limits of sessions, rooms and namespaces, the answers to "
    "unknown events, the check of byte values and the strict decoding of packets are lost, and events that are named "
    "like the library's own are not refused."
)
SERVER = (
    "socketio:Server._engineio_server_class(self)",
    "socketio:Server._handle_connect(self, eio_sid, namespace, data)",
    "socketio:Server._handle_disconnect(self, eio_sid, namespace, reason)",
    "socketio:Server._send_packet(self, eio_sid, pkt)",
    "socketio:Server._trigger_event(self, event, namespace, args)",
    "socketio.manager:Manager._generate_ack_id(self, sid, callback)",
    "socketio.manager:Manager.pre_connect(self, eio_sid, namespace)",
)
STOCK_ENGINE = (
    "engineio:Server._cors_headers(self, environ)",
    "engineio:Server.generate_id(self)",
    "engineio:Server.handle_request(self, environ, start_response)",
    "engineio.async_drivers.threading:_async",
    "engineio.payload:Payload.max_decode_packets",
    "engineio.socket:Socket._websocket_handler(self, ws)",
    "engineio.socket:Socket.close(self, wait, abort, reason)",
)
STOCK_SERVER = (
    *SERVER,
    "socketio:Server._handle_eio_connect(self, eio_sid, environ)",
    "socketio:Server._handle_eio_disconnect(self, eio_sid, reason)",
    "socketio:Server._handle_eio_message(self, eio_sid, data)",
    "socketio:Server._send_eio_packet(self, eio_sid, eio_pkt)",
)
QUEUE = ("socketio:PubSubManager._handle_emit(self, message)", "socketio:PubSubManager._publish(self, data)")
NUMBERED = "numbered"  # marks a message that the receiver numbers before sending it to clients
NO_NUMBERS = "What features publish carries no number, so clients that reconnect may miss some of it."


def fast_transport_fits() -> bool:
    """Return whether the libraries have what the fast transport overrides; the stock one is used otherwise."""
    return guard.fits("python-engineio", STOCK, *ENGINE) and guard.fits("python-socketio", STOCK, *SERVER)


def stock_transport_fits() -> bool:
    """Return whether the libraries have what the stock transport overrides; their own server is used otherwise."""
    return guard.fits("python-engineio", OWN, *STOCK_ENGINE) and guard.fits("python-socketio", OWN, *STOCK_SERVER)


def has_queue(manager: Any) -> bool:
    """Return whether a server's manager carries events to other processes."""
    import socketio

    return isinstance(manager, socketio.PubSubManager)


def carries_messages(manager: Any) -> bool:
    """Return whether our own messages can be sent through the manager's queue; true if there is no queue."""
    return not has_queue(manager) or guard.fits("python-socketio", NO_NUMBERS, *QUEUE)


def receive(manager: Any, take: Callable[[Message], bool]) -> None:
    """Call `take` with each message from another process; the manager handles those for which it returns False."""
    if not (has_queue(manager) and carries_messages(manager)):
        return
    handle_emit = manager._handle_emit

    def handle(message: Message) -> None:
        if not take(message):
            handle_emit(message)

    manager._handle_emit = handle


def send(manager: Any, message: Message) -> None:
    """Send a message to the other processes, if there are any."""
    if has_queue(manager):
        manager._publish(message | {"host_id": manager.host_id})

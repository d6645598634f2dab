"""A Socket.IO client that handles its messages in the order in which they arrive."""

import engineio
import socketio


class OrderedEngine(engineio.Client):
    """An Engine.IO client that runs no handler in a thread of its own.

    python-engineio starts a thread for each message; a busy machine swaps them, and an attachment comes before its
    packet.
    """

    def _trigger_event(self, event, *args, **options):
        return super()._trigger_event(event, *args, **options | {"run_async": False})


class OrderedClient(socketio.Client):
    """A client whose handlers must not wait for an answer of the server."""

    def _engineio_client_class(self):
        return OrderedEngine

"""A real server of the live application under each transport, and clients that follow rooms."""

import socket
import threading
from pathlib import Path

import pytest
import socketio

from tests.conftest import ASYNC_MODE, TRANSPORTS, Server, free_port, gunicorn, new_database
from tests.patience import LIMIT_SECONDS

HERE = Path(__file__).parent
GUNICORN = gunicorn(HERE, "live_app:app")


@pytest.fixture(scope="module", params=TRANSPORTS)
def server(request, tmp_path_factory):
    """The live application with default settings under each transport in turn, one for all tests of a module."""
    folder = tmp_path_factory.mktemp(request.param)
    env = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "SOCKET_TRANSPORT": request.param, "LOG_FORMAT": "json"}
    env |= {"PORT": str(free_port()), "DATABASE_URL": new_database(folder), "LOG_LEVEL": "DEBUG"}
    running = Server(folder, GUNICORN, env).wait_ready()
    yield running
    running.stop()


@pytest.fixture
def live(serve):
    """Return a function that starts the application with its own settings: `live(NAME="value")`."""

    def start(**env):
        return serve(command=GUNICORN, **({"SOCKET_TRANSPORT": TRANSPORTS[0]} | env))

    return start


class Client(socketio.Client):
    """A client that remembers what it got, and where it was in a room."""

    def __init__(self, server, **options) -> None:
        super().__init__(reconnection=False, request_timeout=LIMIT_SECONDS)
        trigger = self.eio._trigger_event  # which would run each message in a thread, in any order
        self.eio._trigger_event = lambda *args, **options: trigger(*args, **options | {"run_async": False})
        self.received: list = []
        self.position: dict | None = None
        self.gone = False
        self.keeping = threading.Lock()
        self.on("*", self._keep)
        self.connect(server.url, **({"wait_timeout": LIMIT_SECONDS} | options))

    def _keep(self, event, data=None):
        with self.keeping:
            if self.gone:
                return
            self.received.append((event, data))
            if isinstance(data, dict) and "stream" in data:
                self.position = {key: data["stream"][key] for key in ("epoch", "seq")}

    def call(self, event, data=None, namespace=None, timeout=LIMIT_SECONDS):
        return super().call(event, data, namespace, timeout)

    def join(self, room, after=None):
        return self.call("room:join", {"name": room, "after": after})

    def news(self):
        return [data["n"] for event, data in self.received if event == "news"]

    def cut(self):
        """Lose the connection without a goodbye, and what is on its way."""
        with self.keeping:
            self.gone = True
        if self.eio.current_transport == "websocket":
            self.eio.ws.sock.shutdown(socket.SHUT_RDWR)
        else:
            self.eio.disconnect(abort=True)


@pytest.fixture
def connect():
    """Return a function that connects a client: `connect(server, transports=["websocket"])`."""
    clients = []

    def new(server, **options):
        clients.append(Client(server, **options))
        return clients[-1]

    yield new
    for client in clients:
        client.eio.disconnect(abort=True)

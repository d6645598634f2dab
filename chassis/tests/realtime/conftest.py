"""Real servers of the live application, shared by the tests of a process, and clients that follow rooms."""

import socket
import threading
from pathlib import Path

import pytest

from chassis.tests.conftest import TRANSPORTS, gunicorn
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS

HERE = Path(__file__).parent
GUNICORN = gunicorn(HERE, "live_app:app")
LONG_MEMORY = {"LOG_LEVEL": "DEBUG", "EVENT_LOG_MAX_EVENTS": "100000"}
BURST = 6  # of events that the strict server takes from a connection


@pytest.fixture
def shared_live(shared_with):
    """Return a function that provides the application with the given settings, shared by all tests of a process."""

    def give(**env):
        return shared_with(command=tuple(GUNICORN), **({"SOCKET_TRANSPORT": TRANSPORTS[0]} | env))

    return give


@pytest.fixture(params=TRANSPORTS)
def server(request, shared_live):
    """The application under each transport in turn, with debug lines; its log holds the longest test's events."""
    return shared_live(SOCKET_TRANSPORT=request.param, **LONG_MEMORY)


@pytest.fixture
def remembering(shared_live):
    """The same server under the first transport only."""
    return shared_live(**LONG_MEMORY)


@pytest.fixture
def strict(shared_live):
    """A server with low limits and short retention."""
    limits = {"SOCKET_EVENTS_PER_SECOND": "0.001", "SOCKET_EVENTS_BURST": str(BURST), "SOCKET_MAX_ROOMS": "2"}
    return shared_live(EVENT_LOG_SECONDS="0.3", **limits)


@pytest.fixture
def small(shared_live):
    """A server that keeps few events and has short leases."""
    return shared_live(EVENT_LOG_MAX_EVENTS="5", PRESENCE_LEASE_SECONDS="2")


@pytest.fixture
def restarted(shared_live):
    """A server that tests may stop and start, with long leases and a small send buffer."""
    server = shared_live(PRESENCE_LEASE_SECONDS="600", SOCKET_SEND_BUFFER_MESSAGES="40")
    yield server
    if server.process.poll() is not None:
        server.start()
        server.wait_ready()


@pytest.fixture
def live(serve):
    """Return a function that starts the application with the given settings: `live(NAME="value")`."""

    def start(**env):
        return serve(command=GUNICORN, **({"SOCKET_TRANSPORT": TRANSPORTS[0]} | env))

    return start


class Client(OrderedClient):
    """A client that remembers the events it received, and its position in a room."""

    def __init__(self, server, **options) -> None:
        super().__init__(reconnection=False, request_timeout=LIMIT_SECONDS)
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

    def break_the_protocol(self):
        """Send a packet that is not valid."""
        self.eio.send("2[null]")

    def cut(self):
        """Close the connection without a goodbye, and lose what is in transit."""
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

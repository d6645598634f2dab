"""Real servers of the matrix application under each transport, shared by the tests with the same settings."""

import re
from pathlib import Path

import pytest

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS, Server, free_port, gunicorn, new_database
from chassis.tests.ordered import OrderedClient
from chassis.tests.patience import LIMIT_SECONDS, wait_until

HERE = Path(__file__).parent
MATRIX = tuple(gunicorn(HERE, "matrix_app:app"))


def start(folder: Path, transport: str, **env: str) -> Server:
    """Start the matrix application."""
    defaults = {
        "APP_ENV": "test",
        "PORT": str(free_port()),
        "ASYNC_MODE": ASYNC_MODE,
        "SOCKET_TRANSPORT": transport,
        "LOG_FORMAT": "json",
        "DATABASE_URL": new_database(folder),
    }
    return Server(folder, list(MATRIX), defaults | env)


def resident_bytes(pid: int) -> int:
    """Return a process's resident memory in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1_000


def wait_held(server: Server) -> None:
    """Wait until a handler is waiting for its release."""
    wait_until(lambda: server.json("/held") == 1, "no handler is held up")


def release(server: Server) -> None:
    """Release all waiting handlers."""
    assert server.request("POST", "/release")[0] == 200


@pytest.fixture
def matrix(tmp_path):
    """Return a function that starts a separate matrix application with the fast transport."""
    if ASYNC_MODE == "threading":
        pytest.skip("the fast transport needs green threads")
    started = []

    def begin(transport="fast", **env):
        server = start(tmp_path, transport, **env).wait_ready()
        started.append(server)
        return server

    yield begin
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server_settings():
    """Settings for a module's servers; a module may replace them."""
    return {}


@pytest.fixture(scope="module", params=TRANSPORTS)
def server(request, server_settings, shared_with):
    """The matrix application, with the fast and the stock transport in turn."""
    running = shared_with(command=MATRIX, SOCKET_TRANSPORT=request.param, **server_settings)
    running.transport = request.param
    return running


@pytest.fixture(scope="module")
def fast_settings():
    """The settings of a module's own server with the fast transport; a module may override them."""
    return {}


@pytest.fixture(scope="module")
def fast(fast_settings, shared_with):
    """The matrix application with the fast transport."""
    if ASYNC_MODE == "threading":
        pytest.skip("the fast transport needs green threads")
    return shared_with(command=MATRIX, SOCKET_TRANSPORT="fast", **fast_settings)


@pytest.fixture(scope="module")
def start_fast(fast, tmp_path_factory):
    """Return a function that starts another server for the tests of a module."""
    started = []

    def begin(**env):
        started.append(start(tmp_path_factory.mktemp("further"), "fast", **env).wait_ready())
        return started[-1]

    yield begin
    for server in started:
        server.stop()


class Client(OrderedClient):
    """A client that remembers the events it received, and answers questions."""

    def __init__(self) -> None:
        delays = {"reconnection_delay": 0.1, "reconnection_delay_max": 0.3, "randomization_factor": 0}
        super().__init__(**delays, request_timeout=LIMIT_SECONDS)
        self.received: list = []
        self.url, self.options = "", {}

    def join(self, url: str = "", **options) -> "Client":
        for namespace in options.get("namespaces", ["/"]):
            self.on("*", lambda event, *args: self.received.append((event, *args)), namespace=namespace)
            self.on("connect_error", lambda said: self.received.append(("connect_error", said)), namespace=namespace)
            self.on("question", lambda text: f"answer to {text}", namespace=namespace)
        self.connect(url or self.url, **({"wait_timeout": LIMIT_SECONDS} | self.options | options))
        return self

    def got(self, event: str) -> list:
        return [args for name, *args in self.received if name == event]


@pytest.fixture(params=["websocket", "polling"])
def join(request, server):
    """Return a function that connects a client to the server, by websocket and by long polling in turn."""
    clients = []

    def new() -> Client:
        clients.append(Client())
        clients[-1].url, clients[-1].options = server.url, {"transports": [request.param]}
        return clients[-1]

    def connect(**options) -> Client:
        return new().join(**options)

    connect.transport, connect.client = request.param, new
    yield connect
    for client in clients:
        client.eio.disconnect(abort=True)

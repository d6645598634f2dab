"""Servers that the tests of a module share, and ways to speak to them: in bytes, and from other addresses."""

import http.client
import json
import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import ASYNC_MODE, SERVE, SOCKET_TRANSPORT, Server, free_port, gunicorn
from tests.patience import LIMIT_SECONDS

HERE = Path(__file__).parent
BODIES_APP = gunicorn(HERE, "bodies_app:app")
LIMITS_APP = gunicorn(HERE, "limits_app:app")
ADMIN = "Kq3vT9xW1mB7nR5tY2uP8sD4fG6hJ0aL"
CLIENT = "Cw8bN2kZ5rX1yV7qL4sM9dF3gH6jP0tE"


@pytest.fixture(scope="module")
def module_settings():
    """What a module's own server is started with; a module may replace it."""
    return {}


@pytest.fixture(scope="module")
def site(module_settings, tmp_path_factory):
    """The application with a route that takes bodies, one for all tests of a module."""
    folder = tmp_path_factory.mktemp("site")
    env = {
        "APP_ENV": "test",
        "PORT": str(free_port()),
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "ASYNC_MODE": ASYNC_MODE,
        "LOG_FORMAT": "json",
    }
    running = Server(folder, BODIES_APP, env | module_settings).wait_ready()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A server that asks for keys and logs all it can."""
    folder = tmp_path_factory.mktemp("attacked")
    env = {
        "APP_ENV": "test",
        "PORT": str(free_port()),
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "ASYNC_MODE": ASYNC_MODE,
        "SOCKET_TRANSPORT": SOCKET_TRANSPORT,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "REQUIRE_CLIENT_API_KEY": "true",
        "ADMIN_API_KEY": ADMIN,
        "CLIENT_API_KEYS": CLIENT,
        "AUTH_FAILURE_LIMIT": "",  # attackers of the tests have time
    }
    server = Server(folder, SERVE, env).wait_ready()
    yield server
    server.stop()


def connect(server: Server) -> socket.socket:
    """Return a connection to the server."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS)


def rest(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes; a reset counts as closed."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer in what came."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def start_limits_app(folder: Path, **env: str) -> Server:
    """Start it, ready; settings come on top of those of the tests."""
    defaults = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "LOG_FORMAT": "json", "PORT": str(free_port())}
    return Server(folder, LIMITS_APP, {**defaults, "DATABASE_URL": f"sqlite:///{folder}/app.db", **env}).wait_ready()


class Answer:
    """What came back: status, headers, text, and its JSON where it is that."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def ask(server: Server, path: str, method: str = "GET", source: str = "127.0.0.1", **headers: str) -> Answer:
    """Ask from one of this machine's addresses; `X_Forwarded_For=...` is a header, `SCRIPT_NAME` as it is."""
    options = {"timeout": LIMIT_SECONDS, "source_address": (source, 0)}
    one = http.client.HTTPConnection("127.0.0.1", server.port, **options)
    try:
        fields = {name if name.isupper() else name.replace("_", "-"): value for name, value in headers.items()}
        one.request(method, path, headers=fields)
        return Answer(one.getresponse())
    finally:
        one.close()


@pytest.fixture(scope="module")
def limits_app(tmp_path_factory):
    """Return a function that starts the application for all tests of a module."""
    started = []

    def start(**env: str) -> Server:
        started.append(start_limits_app(tmp_path_factory.mktemp("limits"), **env))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def flask(server: Server, *words: str) -> list[str]:
    """Return the command `flask ...` with the interpreter of the tests."""
    return [sys.executable, "-m", "flask", *words]

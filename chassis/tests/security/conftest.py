"""Servers shared by the tests of a process, and requests to them: as raw bytes, and from other addresses."""

import http.client
import json
import os
import socket
from pathlib import Path
from unittest.mock import patch

import pytest

from app import create_app
from chassis.tests.conftest import ASYNC_MODE, Server, free_port, gunicorn
from chassis.tests.keys import ADMIN, CLIENT, GUARDED, OTHER
from chassis.tests.patience import LIMIT_SECONDS

__all__ = ["ADMIN", "CLIENT", "GUARDED", "OTHER"]
HERE = Path(__file__).parent
BODIES_APP = gunicorn(HERE, "bodies_app:app")
LIMITS_APP = gunicorn(HERE, "limits_app:app")
USUAL_BYTES, JSON_BYTES, UPLOAD_BYTES, UPLOAD_TYPES = 5_000, 10_000, 100_000, "text/csv, application/pdf"
FRIEND, FRIENDS_PORT = "https://friend.example", free_port()
MANY = 1_000_000  # requests, which no test makes


@pytest.fixture
def module_settings():
    """The settings of a module's own server; a module may override them."""
    sizes = {"MAX_BODY_BYTES": USUAL_BYTES, "MAX_JSON_BYTES": JSON_BYTES, "MAX_UPLOAD_BYTES": UPLOAD_BYTES}
    return {"UPLOAD_TYPES": UPLOAD_TYPES, **{name: str(size) for name, size in sizes.items()}}


@pytest.fixture
def site(module_settings, shared_with):
    """The application with a route that accepts bodies, shared by all tests of a process."""
    return shared_with(command=tuple(BODIES_APP), **module_settings)


@pytest.fixture
def attacked(shared_with):
    """A server that requires keys, logs as much as it can, and lists a friend's origin."""
    return shared_with(
        command=tuple(BODIES_APP),
        LOG_LEVEL="DEBUG",
        AUTH_FAILURE_LIMIT="",  # attackers of the tests have time
        RATE_LIMIT_DEFAULT=f"{MANY} per hour",
        CORS_ORIGINS=f"{FRIEND},http://127.0.0.1:{FRIENDS_PORT}",
        **GUARDED,
    )


def connect(server: Server) -> socket.socket:
    """Return a connection to the server."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS)


def rest(connection: socket.socket) -> bytes:
    """Return everything received until the server closes; a reset counts as a close."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


def statuses(received: bytes) -> list[int]:
    """Return the status of each response in the received bytes."""
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def start_limits_app(folder: Path, **env: str) -> Server:
    """Start the application and wait until it is ready; these settings override the tests' defaults."""
    defaults = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "LOG_FORMAT": "json", "PORT": str(free_port())}
    return Server(folder, LIMITS_APP, {**defaults, "DATABASE_URL": f"sqlite:///{folder}/app.db", **env}).wait_ready()


class Answer:
    """A response: status, headers, text, and its JSON if it has any."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status, self.headers = answer.status, answer.headers
        self.text = answer.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def ask(
    server: Server,
    path: str,
    method: str = "GET",
    source: str = "127.0.0.1",
    form: str | None = None,
    line=None,
    **headers: str,
) -> Answer:
    """Send a request from one of this machine's addresses; `X_Forwarded_For=...` is a header, `SCRIPT_NAME` as is.

    It goes over the open connection `line`, if there is one.
    """
    options = {"timeout": LIMIT_SECONDS, "source_address": (source, 0)}
    one = line or http.client.HTTPConnection("127.0.0.1", server.port, **options)
    try:
        fields = {name if name.isupper() else name.replace("_", "-"): value for name, value in headers.items()}
        if form is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        one.request(method, path, form, fields)
        return Answer(one.getresponse())
    finally:
        one.close()


@pytest.fixture
def limits_app(shared_with):
    """Return a function that provides the application with the given settings, shared by all tests of a process."""
    return lambda **env: shared_with(command=tuple(LIMITS_APP), **env)


def flask(server: Server, *words: str, status: int = 0, typed: str | None = None) -> str:
    """Run a command with the server's settings; it runs in this process, which saves a second."""
    with patch.dict(os.environ, server.env, clear=True):
        app = create_app()
        with app.app_context():  # as the flask command has
            done = app.test_cli_runner().invoke(args=words, input=typed)
    assert done.exit_code == status, done.output
    return done.stdout.strip() if status == 0 else done.stderr

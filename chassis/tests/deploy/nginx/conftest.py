"""A real server of the service, and the shipped nginx site in front of it."""

import pytest

from chassis.tests.conftest import ASYNC_MODE, SERVE, Server, free_port, new_database
from chassis.tests.deploy.site import nginx


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    env = {"APP_ENV": "test", "PORT": str(free_port()), "DATABASE_URL": new_database(folder)}
    env |= {
        "TRUSTED_PROXIES": "127.0.0.1",
        "ASYNC_MODE": ASYNC_MODE,
        "CORS_ORIGINS": "https://friend.example",
        "LOG_FORMAT": "json",
    }
    running = Server(folder, SERVE, env).wait_ready()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def site(server, tool, tmp_path_factory):
    with nginx(tmp_path_factory.mktemp("nginx"), tool, server.port) as running:
        yield running

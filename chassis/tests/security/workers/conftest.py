"""The service with two workers behind one Redis, and low limits."""

from pathlib import Path

import pytest

from chassis.tests.conftest import gunicorn
from chassis.tests.services import redis_server

COMMAND = gunicorn(Path(__file__).parent, "workers_app:app")
RATE, GUESSES, QUOTA, FREE = 30, 10, 6, 5
MANY = 50  # requests at once


@pytest.fixture(scope="module")
def redis_of_module(tool, tmp_path_factory):
    with redis_server(tool("redis-server"), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def pair(shared_with, redis_of_module):
    """The service with two workers."""
    return shared_with(
        command=tuple(COMMAND),
        GUNICORN_WORKERS="2",
        REDIS_URL=redis_of_module,
        SOCKET_TRANSPORTS="websocket",
        REQUIRE_CLIENT_API_KEY="true",
        RATE_LIMIT_DEFAULT=f"{RATE} per hour",
        RATE_LIMIT_BURST="1000 per second",
        AUTH_FAILURE_LIMIT=f"{GUESSES} per hour",
        QUOTA_JOBS=str(QUOTA),
        TRUSTED_PROXIES="127.0.0.1",
        TEST_PASSKEYS="true",
    )

"""A server with a small limit of a message's bytes, and a client in its main namespace."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.websocket.messages import LIMIT


@pytest.fixture(scope="module")
def fast_settings():
    return {"SOCKET_MAX_MESSAGE_BYTES": str(LIMIT)}


@pytest.fixture
def client(fast):
    """A websocket in the main namespace."""
    client = wire.join(fast.port)
    yield client
    client.end()

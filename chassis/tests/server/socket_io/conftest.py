"""Websockets of the fast transport, in the main namespace and in none."""

import pytest

from chassis.tests.server import wire


@pytest.fixture
def opened(fast):
    """A websocket in no namespace."""
    client, _ = wire.open_session(fast.port)
    yield client
    client.end()


@pytest.fixture
def client(fast):
    """A websocket in the main namespace."""
    client = wire.join(fast.port)
    yield client
    client.end()

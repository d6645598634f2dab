"""A server with small limits, and a client of it that has to notice nothing."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.limits.probes import BUFFER_BYTES


@pytest.fixture(scope="module")
def fast_settings():
    return {
        "SOCKET_SEND_BUFFER_BYTES": str(BUFFER_BYTES),
        "SOCKET_SEND_BUFFER_MESSAGES": "0",
        "SOCKET_RECEIVE_MESSAGES": "20",
        "SOCKET_RECEIVE_BYTES": "50000",
        "SOCKET_MAX_NAMESPACES": "2",
        "SOCKET_MAX_ROOMS": "3",
    }


@pytest.fixture
def bystander(fast):
    """Another client's websocket, that has to notice nothing."""
    client = wire.join(fast.port)
    yield client
    client.end()

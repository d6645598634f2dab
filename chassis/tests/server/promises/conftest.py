"""The limits of the servers on which the promises are tried."""

import pytest

from chassis.tests.server.promises.sessions import NAMESPACES, ROOMS


@pytest.fixture(scope="module")
def server_settings():
    return {"SOCKET_MAX_NAMESPACES": str(NAMESPACES), "SOCKET_MAX_ROOMS": str(ROOMS)}

"""A client that does not finish its handshake, upgrade or request is closed."""

import time

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.limits.probes import refused
from chassis.tests.server.wire import Polling, Wire

HANDSHAKE = 2


@pytest.fixture(scope="module")
def hasty(start_fast):
    """A server that does not wait long for its clients."""
    return start_fast(SOCKET_HANDSHAKE_SECONDS=str(HANDSHAKE), HTTP_HEADER_SECONDS="5")


def test_a_client_that_joins_nothing_is_closed(hasty):
    before, bystander = refused(hasty, "handshake_timeout"), wire.join(hasty.port)
    began = time.monotonic()
    silent, polling = wire.open_session(hasty.port)[0], Polling(hasty.port)
    refused_only = wire.open_session(hasty.port)[0].text("40/nowhere,")
    assert refused_only.read_text().startswith("44")
    assert silent.read_close() == 1008
    assert time.monotonic() - began > HANDSHAKE - 0.1
    assert refused_only.read_close() == 1008
    assert polling.get()[0] == 400
    assert refused(hasty, "handshake_timeout") == before + 3  # so no ping has found them
    bystander.text('42["echo",1]')
    assert bystander.read_text() == '42["echo",1]'


def test_a_client_that_does_not_finish_its_upgrade_stays_on_polls(hasty):
    client = Polling(hasty.port, joined=True)
    asked = client.upgrading()
    assert asked.read_close() == 1008
    asked = client.upgrading().text("2probe")
    assert asked.read_text() == "3probe"
    assert asked.read_close() == 1008
    assert client.post('42["echo",1]') == (200, "ok")
    assert client.get() == (200, '42["echo",1]')
    client.leave()


@pytest.mark.long
def test_a_client_that_does_not_finish_its_request_is_closed(hasty):
    silent, slow = Wire(hasty.port), Wire(hasty.port)
    slow.send(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")

    def closed():
        try:
            slow.send(b"X")  # of the name of one header
        except OSError:
            return True

    wait_until(closed, "the server still waits for the rest")
    assert silent.ended()

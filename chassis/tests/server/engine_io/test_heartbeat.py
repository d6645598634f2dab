"""Clients are pinged, and those that do not answer in time are disconnected."""

import time

import pytest

from chassis.tests.patience import let_pass
from chassis.tests.server import wire
from chassis.tests.server.engine_io.refusals import gone
from chassis.tests.server.wire import Polling, Wire, frame

PING, PONG = 0.3, 2.25  # seconds to a ping, and to its answer
ON_TIME = 10  # sessions that begin at various times


@pytest.fixture(scope="module")
def asking(start_fast):
    """A server that asks often whether its clients are there, and waits long for an answer."""
    return start_fast(SOCKET_PING_INTERVAL_SECONDS=str(PING))


@pytest.fixture(scope="module")
def restless(start_fast):
    """A server that asks often, and waits for no answer for long."""
    return start_fast(SOCKET_PING_INTERVAL_SECONDS=str(PING), SOCKET_PING_TIMEOUT_SECONDS=str(PONG))


def test_fractions_of_a_second_are_told_in_milliseconds(restless):
    client = Polling(restless.port)
    assert (client.opened["pingInterval"], client.opened["pingTimeout"]) == (300, 2250)
    client.leave()


def test_a_websocket_is_pinged_and_stays_while_it_answers(asking):
    began = time.monotonic()
    client = wire.join(asking.port)
    for number in range(1, 4):
        assert client.read_text() == "2"
        assert time.monotonic() - began > number * PING
        client.text("3")
    client.text('42["echo",1]')
    assert client.read_text() == '42["echo",1]'


def test_a_poll_carries_the_ping(asking):
    client = Polling(asking.port, joined=True)
    for _ in range(3):
        assert client.get() == (200, "2")
        assert client.post("3") == (200, "ok")
    assert client.post("1") == (200, "ok")


def test_a_client_that_does_not_answer_a_ping_is_gone(restless):
    before = restless.metric("socket_refused_total")
    began = time.monotonic()
    client, poller = wire.join(restless.port), Polling(restless.port, joined=True)
    assert client.read_text() == "2"
    assert client.read()[0] == wire.CLOSE
    assert client.ended()
    assert time.monotonic() - began > PING + PONG
    while (said := poller.get())[0] == 200:
        assert said[1] in ("2", "1")
    assert gone(poller)
    assert restless.metric("socket_refused_total") == before + 2


def test_a_polling_session_ends_on_time(restless):
    clients = []
    for _ in range(ON_TIME):
        clients.append((Polling(restless.port), time.monotonic()))
        let_pass(0.013)
    for client, opened_at in clients:
        let_pass(max(0, opened_at + PING + PONG - time.monotonic()))
        assert gone(client)


def test_only_the_answer_to_a_ping_counts_as_one(restless):
    client = wire.join(restless.port)
    assert client.text("3", "3").read_text() == "2"
    client.text('42["echo",1]')
    assert client.read_text() == '42["echo",1]'
    assert client.read()[0] == wire.CLOSE


def test_a_packet_whose_attachments_do_not_come_is_given_up(restless):
    before = restless.metric("socket_refused_total")
    began = time.monotonic()
    client = wire.join(restless.port).text('452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    client.send(frame(wire.BINARY, b"one of them"))
    while (said := client.read())[0] == wire.TEXT:
        client.text("3")
    assert said == (wire.CLOSE, b"\x03\xf0")
    assert time.monotonic() - began > PING + PONG
    assert restless.metric("socket_refused_total") == before + 1


def test_a_post_that_is_never_finished_is_given_up(restless):
    client = Polling(restless.port, joined=True)
    headers = {"Host": "localhost", "Content-Length": "5"}
    unfinished = Wire(restless.port).request("POST", client.path, headers).send(b"42")
    assert unfinished.answer()[0] in (400, 408)
    assert unfinished.ended()

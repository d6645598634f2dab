"""A close is answered as RFC 6455 says, and nothing behind it is handled."""

import pytest

from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.websocket.messages import EVENT
from chassis.tests.server.wire import CLOSE, PING, TEXT, closing, frame


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
def test_a_close_is_answered_with_its_own_code(client, code):
    assert client.send(closing(code, "grüß Gott".encode())).read_close() == code


def test_a_close_without_a_code_is_answered_without_one(client):
    assert client.send(frame(CLOSE)).read_close() is None


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535])
def test_a_close_code_that_may_not_be_sent_is_refused(client, code):
    assert client.send(closing(code)).read_close() == 1002


def test_a_close_frame_of_one_byte_is_refused(client):
    assert client.send(frame(CLOSE, b"\x03")).read_close() == 1002


def test_a_reason_that_is_not_utf8_is_refused(client):
    assert client.send(closing(1000, b"\xff\xfe")).read_close() == 1007


def test_nothing_behind_a_close_is_handled(client):
    client.send(closing(1000), frame(TEXT, EVENT % 1), frame(PING, b"x"))
    assert client.read_close() == 1000


def test_a_client_that_answers_no_close_is_cut_off(client):
    client.text("4x")
    assert client.read()[0] == CLOSE
    assert client.ended()

    def cut_off():
        try:
            client.send(frame(PING))
        except OSError:
            return True

    wait_until(cut_off, "the server takes what comes behind its close")


def test_a_lost_connection_is_noticed_however_it_ends(fast, wait_for):
    def connected():
        return fast.metric("socket_connections")

    wait_for(lambda: connected() == 0)  # those of other tests have gone
    clients = [wire.join(fast.port) for _ in range(3)]
    assert connected() == 3
    clients[0].cut()
    clients[1].end()
    clients[2].end_writing()
    wait_for(lambda: connected() == 0)

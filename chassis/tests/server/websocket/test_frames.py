"""Pings are answered, and frames arrive however they are masked or cut."""

import pytest

from chassis.tests.server.websocket.messages import EVENT, echo_of
from chassis.tests.server.wire import PING, PONG, TEXT, frame


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(125))])
def test_a_ping_is_answered_with_its_payload(client, payload):
    assert client.send(frame(PING, payload)).read() == (PONG, payload)


def test_a_pong_that_nobody_asked_for_is_taken(client):
    client.send(frame(PONG), frame(PONG, b"x" * 125), frame(TEXT, EVENT % 1))
    assert echo_of(client) == '"1"'


def test_frames_may_come_one_byte_at_a_time(client):
    for data in (frame(PING, b"abc"), frame(TEXT, EVENT % ("y" * 200))):
        for i in range(len(data)):
            client.send(data[i : i + 1])
    assert client.read() == (PONG, b"abc")
    assert echo_of(client) == f'"{"y" * 200}"'


def test_many_frames_may_come_at_once_and_keep_their_order(client):
    client.text(*(EVENT % i for i in range(500)))
    assert [echo_of(client) for _ in range(500)] == [f'"{i}"' for i in range(500)]


@pytest.mark.parametrize("mask", [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\xff\x13\x80"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 125, 126, 1000])
def test_any_mask_is_undone(client, mask, size):
    assert echo_of(client.send(frame(TEXT, EVENT % ("z" * size), mask=mask))) == f'"{"z" * size}"'

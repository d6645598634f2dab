"""Messages may come in fragments, and wrong fragments are refused."""

import pytest

from chassis.tests.server.websocket.messages import EVENT, LIMIT, echo_of
from chassis.tests.server.wire import BINARY, CONTINUATION, PING, PONG, TEXT, closing, frame


def parts(data, count):
    """Return the data in so many fragments."""
    step = -(-len(data) // count)
    pieces = [data[i * step : (i + 1) * step] for i in range(count)]
    opcodes = [TEXT] + [CONTINUATION] * (count - 1)
    return [
        frame(code, piece, final=i == count - 1) for i, (code, piece) in enumerate(zip(opcodes, pieces, strict=True))
    ]


@pytest.mark.parametrize("count", [2, 3, 17])
def test_a_message_in_fragments_is_one_message(client, count):
    client.send(*parts((EVENT % "grüße").encode(), count))
    assert echo_of(client) == '"gr\\u00fc\\u00dfe"'


def test_fragments_may_be_empty(client):
    client.send(frame(TEXT, final=False), frame(CONTINUATION, EVENT % 1, final=False), frame(CONTINUATION))
    assert echo_of(client) == '"1"'


def test_a_binary_message_may_come_in_fragments(client):
    client.text('451-["echo",{"_placeholder":true,"num":0}]')
    client.send(
        frame(BINARY, b"ab", final=False), frame(CONTINUATION, b"\x00\xff", final=False), frame(CONTINUATION, b"c")
    )
    assert client.read_text() == '451-["echo",{"_placeholder":true,"num":0}]'
    assert client.read() == (BINARY, b"ab\x00\xffc")


def test_control_frames_between_fragments_are_answered_at_once(client):
    first, *others = parts((EVENT % 1).encode(), 3)
    client.send(first, frame(PING, b"now"))
    assert client.read() == (PONG, b"now")
    client.send(others[0], frame(PONG), frame(PING), others[1])
    assert client.read() == (PONG, b"")
    assert echo_of(client) == '"1"'


def test_a_close_between_fragments_ends_the_connection(client):
    assert client.send(parts((EVENT % 1).encode(), 2)[0], closing(1000)).read_close() == 1000


@pytest.mark.parametrize(
    "frames",
    [
        [frame(CONTINUATION, EVENT % 1)],
        [frame(CONTINUATION, "4", final=False)],
        [frame(TEXT, "4", final=False), frame(TEXT, EVENT % 1)],
        [frame(TEXT, "4", final=False), frame(BINARY, b"x", final=False)],
        [*parts((EVENT % 1).encode(), 2), frame(CONTINUATION, "x")],
    ],
)
def test_fragments_out_of_order_are_refused(client, frames):
    client.send(*frames)
    if len(frames) == 3:
        echo_of(client)
    assert client.read_close() == 1002


def test_a_character_may_be_split_over_fragments(client):
    text = (EVENT % "\U0001f600").encode()
    client.send(
        frame(TEXT, text[:13], final=False), frame(CONTINUATION, text[13:14], final=False),
        frame(CONTINUATION, text[14:]),
    )  # fmt: skip
    assert echo_of(client) == '"\\ud83d\\ude00"'


def test_fragments_that_are_too_large_together_are_refused(client):
    client.send(frame(TEXT, "4" * (LIMIT - 10), final=False), frame(CONTINUATION, b"", length=11, final=False))
    assert client.read_close() == 1009

"""Frames that RFC 6455 forbids close the connection with its codes."""

import pytest

from chassis.server.frame_reader import FrameReader
from chassis.tests.server import wire
from chassis.tests.server.websocket.messages import EVENT, LIMIT, echo_of
from chassis.tests.server.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_an_unmasked_frame_is_refused(client, opcode):
    assert client.send(frame(opcode, b"4", mask=None)).read_close() == 1002


@pytest.mark.parametrize("reserved", [1, 2, 4, 7])
@pytest.mark.parametrize("opcode", [TEXT, PING])
def test_a_reserved_bit_is_refused(client, reserved, opcode):
    assert client.send(frame(opcode, b"4", reserved=reserved)).read_close() == 1002


@pytest.mark.parametrize("opcode", [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF])
def test_a_reserved_opcode_is_refused(client, opcode):
    assert client.send(frame(opcode, b"")).read_close() == 1002


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_long_or_fragmented_control_frame_is_refused(fast, opcode):
    assert wire.join(fast.port).send(frame(opcode, b"\x03\xe8" + b"x" * 124)).read_close() == 1002
    assert wire.join(fast.port).send(frame(opcode, b"", final=False)).read_close() == 1002


@pytest.mark.parametrize(
    "header", [b"\x81\xfe\x00\x7d", b"\x81\xff" + bytes(6) + b"\xff\xff", b"\x81\xff\x80" + bytes(7)]
)
def test_a_length_that_is_not_in_its_shortest_form_is_refused(client, header):
    assert client.send(header).read_close() == 1002


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xce", b"\xe2\x82"])
def test_text_that_is_not_utf8_is_refused(fast, wrong):
    text = b'42["echo","' + wrong
    assert wire.join(fast.port).send(frame(TEXT, text)).read_close() == 1007
    pieces = [frame(TEXT, text[:-1], final=False), frame(CONTINUATION, text[-1:], final=False), frame(CONTINUATION)]
    assert wire.join(fast.port).send(*pieces).read_close() == 1007


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc0", b"\xed\xa0\x80", b"\xf4\x90"])
def test_text_in_pieces_is_refused_at_the_byte_that_makes_it_wrong(fast, wrong):
    text = b'42["echo","' + wrong
    fragments = [frame(TEXT, text[:5], final=False), frame(CONTINUATION, text[5:], final=False)]
    assert wire.join(fast.port).send(*fragments).read_close() == 1007
    for length in (100, 1_000, LIMIT):
        whole = frame(TEXT, text, length=length)
        for cut in range(1, len(whole)):
            assert next(iter(FrameReader(200_000).feed(whole[:cut])), None) is None
        assert wire.join(fast.port).send(whole[:-4]).send(whole[-4:]).read_close() == 1007


def test_a_message_of_the_largest_size_is_taken(client):
    text = EVENT % ("x" * (LIMIT - len(EVENT % "")))
    assert len(text) == LIMIT
    assert len(echo_of(client.text(text))) > LIMIT - 20


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("length", [LIMIT + 1, 1 << 40, (1 << 63) - 1])
def test_an_oversized_message_is_refused_by_its_header(client, opcode, length):
    assert client.send(frame(opcode, b"", length=length)).read_close() == 1009


def test_bytes_that_belong_to_no_event_are_refused(client):
    assert client.send(frame(BINARY, b"bytes")).read_close() == 1003

"""Whatever bytes a client sends: frames and packets are read as others read them, or refused by the rules."""

import contextlib
import itertools
import json

import pytest
import socketio
from hypothesis import assume, example, given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.protocol import OPEN, Protocol, Side

from chassis.server import frame_reader, frames, packets
from chassis.tests.fuzzing import fuzz
from chassis.tests.server import wire

pytestmark = pytest.mark.fuzz
MAX_BYTES = 300
HEADER_BYTES = 14

PAYLOAD = (
    st.binary(max_size=20) | st.text(max_size=20).map(str.encode) | st.sampled_from([125, 126, 290, 310]).map(bytes)
)
OPCODE = st.sampled_from([wire.TEXT, wire.TEXT, wire.BINARY, wire.CONTINUATION, wire.PING, wire.PONG]) | st.integers(
    0, 15
)
FRAME = st.builds(
    wire.frame, OPCODE, PAYLOAD, final=st.booleans(), mask=st.binary(min_size=4, max_size=4),
    reserved=st.sampled_from([0] * 9 + [1, 2, 4]),
)  # fmt: skip
UNMASKED = st.builds(wire.frame, OPCODE, PAYLOAD, mask=st.none())
CLOSING = st.builds(wire.closing, st.integers(990, 1020) | st.integers(0, 5100), PAYLOAD.filter(lambda p: len(p) < 124))
FRAMES = st.lists(FRAME | FRAME | FRAME | UNMASKED | CLOSING, max_size=8).map(b"".join)
BYTES = st.binary(max_size=80) | FRAMES | st.tuples(FRAMES, st.binary(max_size=30)).map(b"".join)


def read(data, cuts=()):
    """Return what a reader gives for these bytes, cut into chunks: the messages, then an error's code if any."""
    reader, found, bounds = frame_reader.FrameReader(MAX_BYTES), [], [0, *sorted(cuts), len(data)]
    try:
        for start, end in itertools.pairwise(bounds):
            for message in reader.feed(data[start:end]):
                found.append(message)
                if message[0] == frames.CLOSE:
                    return found
            assert len(reader._buffer) <= MAX_BYTES + HEADER_BYTES
            assert len(reader._message or b"") <= MAX_BYTES
    except frames.ProtocolError as error:
        found.append(error.code)
    return found


def read_by_websockets(data):
    """Return the same as `read`, by the library `websockets`; it leaves putting fragments together to its callers."""
    protocol = Protocol(Side.SERVER, state=OPEN, max_size=MAX_BYTES)
    protocol.receive_data(data)
    found, opcode, pieces, utf8 = [], None, [], frame_reader.Utf8()
    for frame in protocol.events_received():
        if frame.opcode in (Opcode.PING, Opcode.PONG):
            found.append((int(frame.opcode), bytes(frame.data)))
        elif frame.opcode is not Opcode.CLOSE:
            opcode = frame.opcode if frame.opcode is not Opcode.CONT else opcode
            pieces.append(bytes(frame.data))
            try:
                if opcode is Opcode.TEXT:
                    utf8.decode(pieces[-1], frame.fin)
            except UnicodeDecodeError:
                return [*found, frames.INVALID_DATA]
            if frame.fin:
                whole, pieces = b"".join(pieces), []
                found.append((int(opcode), whole.decode() if opcode is Opcode.TEXT else whole))
    if (closing := protocol.close_rcvd) is not None:  # it is good between fragments too, where `websockets` minds it
        found.append((frames.CLOSE, frames.Closing(int(closing.code), closing.reason)))
    elif protocol.parser_exc is not None and protocol.close_sent is not None:
        found.append(int(protocol.close_sent.code))
    return found


@fuzz
@given(BYTES, st.data())
def test_it_does_not_matter_how_bytes_are_cut(data, draw):
    whole = read(data)
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=10))
    assert read(data, cuts) == whole
    assert read(data, range(len(data))) == whole


@fuzz
@given(FRAMES)
@example(wire.frame(wire.TEXT, b"\xff") + wire.frame(3))
@example(wire.frame(wire.TEXT, b"half", final=False) + wire.closing(1000, b"enough"))
def test_frames_are_read_as_the_library_websockets_reads_them(data):
    ours, theirs = read(data), read_by_websockets(data)
    if {*ours[-1:], *theirs[-1:]} == {frames.PROTOCOL_ERROR, frames.TOO_BIG}:
        ours[-1] = theirs[-1]  # a frame that breaks two rules may be refused for either
    assert ours == theirs


@fuzz
@given(st.sampled_from([frames.TEXT, frames.BINARY, frames.PONG]), st.binary(max_size=70_000) | PAYLOAD)
def test_our_frames_are_read_by_the_library_websockets(opcode, payload):
    if opcode == frames.PONG:
        payload = payload[:125]
    client = Protocol(Side.CLIENT, state=OPEN)
    client.receive_data(frames.frame(opcode, payload) + frames.close_frame(frames.TOO_BIG, "ü" * 100))
    first, last = client.events_received()
    assert (int(first.opcode), bytes(first.data), first.fin) == (opcode, payload, True)
    assert last.opcode is Opcode.CLOSE
    assert (int(client.close_rcvd.code), client.close_rcvd.reason) == (frames.TOO_BIG, "ü" * 61)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=10,
)
WITH_BYTES = st.recursive(
    st.binary() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=10,
)
NAME = st.text(min_size=1).filter(lambda name: name not in packets.RESERVED_EVENTS)
NAMESPACE = st.just("/") | st.text(st.characters(exclude_characters=",?", codec="utf-8")).map(lambda name: "/" + name)
NUMBER = st.none() | st.integers(0, 10**15 - 1)
EVENT = st.tuples(st.just(packets.EVENT), NAMESPACE, NUMBER, st.builds(lambda n, a: [n, *a], NAME, st.lists(JSON)))
ACK = st.tuples(st.just(packets.ACK), NAMESPACE, st.integers(0, 10**15 - 1), st.lists(JSON))
CONNECT = st.tuples(st.just(packets.CONNECT), NAMESPACE, st.none(), st.none() | st.dictionaries(st.text(), JSON))
DISCONNECT = st.tuples(st.just(packets.DISCONNECT), NAMESPACE, st.none(), st.none())
PACKET = EVENT | ACK | CONNECT | DISCONNECT
PIECES = [
    *(
        "",
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "51-",
        "450-",
        "-",
        "/",
        "/a",
        ",",
        "?",
        "[",
        "]",
        "{",
        "}",
        '"',
        '"e"',
        '["e"',
    ),
    *('{"_placeholder":true,"num":0}', "null", "1e999", "NaN", "9" * 16, "\u0661", "\x00", "\ud800"),
]
LIKE_PACKET = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text()


@fuzz
@given(LIKE_PACKET, st.lists(st.binary(max_size=3), max_size=3))
def test_any_text_is_a_packet_or_refused(text, attachments):
    with contextlib.suppress(ValueError):
        packet = packets.decode(text)
        assert packet.kind in range(7)
        assert packet.namespace.startswith("/")
        assert packet.attachments <= packets.MAX_ATTACHMENTS
        joined = packets.join(packet, attachments)
        assert joined.kind in (packets.CONNECT, packets.DISCONNECT, packets.EVENT, packets.ACK)
        packets.encode(joined.kind, joined.namespace, joined.data, joined.id)


@fuzz
@given(st.lists(st.sampled_from([*PIECES, "b", "\x1e", "bYQ==", "bY", "4"])).map("".join) | st.text())
def test_any_body_is_a_payload_or_refused(text):
    with contextlib.suppress(ValueError):
        assert len(packets.unpack_payload(text)) == text.count("\x1e") + 1


@fuzz
@given(PACKET)
def test_a_packet_is_decoded_as_it_was_encoded(packet):
    kind, namespace, number, data = packet
    (outgoing,) = packets.encode(kind, namespace, data, number)
    assert outgoing.data[0] == "4"
    assert packets.decode(outgoing.data[1:]) == (kind, namespace, number, data, 0)


@fuzz
@given(EVENT | ACK)
def test_packets_are_written_and_read_as_python_socketio_does(packet):
    kind, namespace, number, data = packet
    theirs = socketio.packet.Packet(kind, data=data, namespace=namespace, id=number).encode()
    assert packets.decode(theirs)[:4] == (kind, namespace, number, data)
    read_there = socketio.packet.Packet(encoded_packet=packets.encode(kind, namespace, data, number)[0].data[1:])
    assert (read_there.packet_type, read_there.namespace or "/", read_there.id, read_there.data) == packet


def count_bytes(data):
    if isinstance(data, dict):
        data = list(data.values())
    return sum(map(count_bytes, data)) if isinstance(data, list) else isinstance(data, bytes)


@fuzz
@given(NAMESPACE, NUMBER, NAME, st.lists(WITH_BYTES, max_size=3))
def test_bytes_come_back_where_they_were(namespace, number, name, arguments):
    data = [name, *arguments]
    if count_bytes(data) > packets.MAX_SENT_ATTACHMENTS:
        with pytest.raises(ValueError, match="may carry 10 byte values"):
            packets.encode(packets.EVENT, namespace, data, number)
        return
    text, *attachments = packets.encode(packets.EVENT, namespace, data, number)
    packet = packets.decode(text.data[1:])
    assert packet.attachments == len(attachments)
    assert packets.join(packet, [attachment.data for attachment in attachments]) == (
        *(packets.EVENT, namespace, number),
        *(data, 0),
    )
    theirs = socketio.packet.Packet(encoded_packet=text.data[1:])
    for attachment in attachments:
        theirs.add_attachment(attachment.data)
    assert theirs.data == data


@fuzz
@given(st.lists(st.floats() | WITH_BYTES))
def test_what_is_sent_is_json_whatever_it_is(data):
    assume(count_bytes(data) <= packets.MAX_SENT_ATTACHMENTS)
    text = packets.encode(packets.EVENT, "/", ["e", *data])[0].data
    json.loads(text[text.index("[") :], parse_constant=pytest.fail)

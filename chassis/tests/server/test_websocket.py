"""The fast transport keeps to RFC 6455, and closes with its codes when a client does not."""

import pytest

from chassis.server.frame_reader import FrameReader
from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, UPGRADE, Wire, closing, frame

LIMIT = 20_000
EVENT = '42["echo","%s"]'


@pytest.fixture(scope="module")
def fast_settings():
    return {"SOCKET_MAX_MESSAGE_BYTES": str(LIMIT)}


@pytest.fixture
def client(fast):
    """A websocket in the main namespace."""
    client = wire.join(fast.port)
    yield client
    client.end()


def echo_of(client):
    """Return what the server echoes next."""
    said = client.read_text()
    assert said.startswith('42["echo",') and said.endswith("]")
    return said.removeprefix('42["echo",').removesuffix("]")


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


def test_a_character_may_be_split_over_fragments(client):
    text = (EVENT % "\U0001f600").encode()
    client.send(
        frame(TEXT, text[:13], final=False), frame(CONTINUATION, text[13:14], final=False),
        frame(CONTINUATION, text[14:]),
    )  # fmt: skip
    assert echo_of(client) == '"\\ud83d\\ude00"'


def test_a_message_of_the_largest_size_is_taken(client):
    text = EVENT % ("x" * (LIMIT - len(EVENT % "")))
    assert len(text) == LIMIT
    assert len(echo_of(client.text(text))) > LIMIT - 20


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("length", [LIMIT + 1, 1 << 40, (1 << 63) - 1])
def test_an_oversized_message_is_refused_by_its_header(client, opcode, length):
    assert client.send(frame(opcode, b"", length=length)).read_close() == 1009


def test_fragments_that_are_too_large_together_are_refused(client):
    client.send(frame(TEXT, "4" * (LIMIT - 10), final=False), frame(CONTINUATION, b"", length=11, final=False))
    assert client.read_close() == 1009


def test_bytes_that_belong_to_no_event_are_refused(client):
    assert client.send(frame(BINARY, b"bytes")).read_close() == 1003


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


def test_what_comes_right_behind_the_upgrade_request_is_not_lost(fast):
    client = Wire(fast.port)
    head = f"GET {wire.path()} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in UPGRADE.items()) + "\r\n"
    client.send(head.encode(), frame(TEXT, "40"), frame(PING, b"early"))
    assert client.answer()[0] == 101
    assert [client.read_text()[:1], client.read_text()[:2]] == ["0", "40"]


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


@pytest.mark.parametrize("version", [None, "12", "8", "14", "thirteen"])
def test_another_version_of_the_protocol_is_told_which_one_is_spoken(fast, version):
    headers = {k: v for k, v in UPGRADE.items() if k != "Sec-WebSocket-Version"}
    headers |= {"Sec-WebSocket-Version": version} if version else {}
    status, answered, _ = Wire(fast.port).request("GET", wire.path(), headers).answer()
    assert (status, answered["sec-websocket-version"]) == (426, "13")


@pytest.mark.parametrize("key", [None, "", "dGVzdA==", "!" * 24, wire.KEY + "AAAA", "\xe4" * 24, wire.KEY[:-1]])
def test_a_missing_or_wrong_key_is_refused(fast, key):
    headers = {k: v for k, v in UPGRADE.items() if k != "Sec-WebSocket-Key"}
    headers |= {"Sec-WebSocket-Key": key} if key is not None else {}
    assert Wire(fast.port).request("GET", wire.path(), headers).answer()[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"Upgrade": "h2c"},
        {"Upgrade": ""},
        {"Connection": "keep-alive"},
        {"Connection": "Upgraded"},
    ],
)
def test_a_request_that_asks_for_no_upgrade_is_refused(fast, changed):
    status, _, body = Wire(fast.port).request("GET", wire.path(), UPGRADE | changed).answer()
    assert status == 400
    assert b'"code": 3' in body


def test_an_upgrade_request_is_a_get_of_http_1_1(fast):
    assert Wire(fast.port).request("POST", wire.path(), UPGRADE).answer()[0] == 400
    head = f"GET {wire.path()} HTTP/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in UPGRADE.items()) + "\r\n"
    assert Wire(fast.port).send(head.encode()).answer()[0] == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"Upgrade": "WebSocket"},
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "keep-alive,upgrade"},
        {"Upgrade": "h2c, websocket"},
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
        {"Sec-WebSocket-Protocol": "chat"},
    ],
)
def test_an_upgrade_request_may_be_written_in_other_ways(fast, changed):
    status, answered, _ = Wire(fast.port).request("GET", wire.path(), UPGRADE | changed).answer()
    assert (status, answered["upgrade"], answered["connection"]) == (101, "websocket", "Upgrade")
    assert "sec-websocket-extensions" not in answered
    assert "sec-websocket-protocol" not in answered

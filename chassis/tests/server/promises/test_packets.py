"""Packets and posts, right and wrong: what every transport answers, and when it ends the session."""

import contextlib
import re

import pytest

from chassis.tests.conftest import TRANSPORTS
from chassis.tests.server import wire
from chassis.tests.server.conftest import start
from chassis.tests.server.promises.sessions import FEW_BYTES, answer_to, empty, ended, forgotten, in_namespace
from chassis.tests.server.wire import BINARY, CONTINUATION, PING, TEXT, Polling, Wire, frame

PLACEHOLDER = '{"_placeholder":true,"num":0}'
RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]


@pytest.mark.parametrize("namespace", ["/", "/all", "/classy"])
@pytest.mark.parametrize("name", RESERVED)
def test_an_event_with_a_reserved_name_closes_the_connection(server, name, namespace):
    client, sid, eio_sid = in_namespace(server, namespace)
    client.text(f'42{"" if namespace == "/" else namespace + ","}["{name}",{{}}]')
    assert ended(client)
    forgotten(server, eio_sid)
    said = [entry[1] for entry in server.json("/seen") if entry[0] == "disconnect"]
    assert said.count(sid) == (namespace == "/")


@pytest.mark.parametrize("name", ['"no such event"', '"*"', "5", '""', '"__class__"', '"error"', '"trigger_event"'])
@pytest.mark.parametrize("namespace", ["", "/classy,"])
def test_an_unknown_event_is_answered(server, name, namespace):
    client, _, _ = in_namespace(server, namespace.rstrip(",") or "/")
    assert answer_to(client, f"42{namespace}7[{name}]")[0]["error"]["code"] == "not_found"
    client.end()


@pytest.mark.parametrize("number", [2, 17, 500])
def test_many_packets_in_one_post_all_arrive(server, number):
    client = Polling(server.port, joined=True)
    assert client.post("\x1e".join(f'42{one}["echo",{one}]' for one in range(number)))[0] == 200
    missing = set(range(number))
    while missing:
        missing -= {int(found) for found in re.findall(r"(?:^|\x1e)43(\d+)\[", client.get()[1])}
    client.ask("POST", client.path, b"1")


def test_more_packets_than_are_taken_in_one_post_are_refused_and_end_the_session(server):
    client = Polling(server.port, joined=True)
    assert client.post("\x1e".join(['42["echo"]'] * 1_001))[0] == 400
    forgotten(server, client.opened["sid"])


def test_a_post_in_chunks_arrives(server):
    client = Polling(server.port, joined=True)
    headers = {"Host": "localhost", "Transfer-Encoding": "chunked"}
    chunked = Wire(server.port).request("POST", client.path, headers)
    for part in (b'421["ec', b'ho",1]'):
        chunked.send(b"%x\r\n%s\r\n" % (len(part), part))
    assert chunked.send(b"0\r\n\r\n").answer()[0] == 200
    while "431[" not in client.get()[1]:
        continue
    client.ask("POST", client.path, b"1")


@pytest.mark.parametrize(
    "body", ["abc", "b!!!", "4x", "2", "0", "7", '42["echo"]\x1e', "\x1e", "b" + "YQ", "42[\x1e1]", "d=42[1]", "42[]"]
)
def test_a_post_that_is_no_payload_is_refused_and_ends_the_session(server, body):
    client = Polling(server.port, joined=True)
    assert client.post(body)[0] == 400
    forgotten(server, client.opened["sid"])


MALFORMED = [
    *(
        frame(TEXT, packet)
        for packet in ("", "x", "7", "0", "4", "4x", "48", "42", "42{}", "42[]", "42[null]", "42[[]]")
    ),
    *(
        frame(TEXT, packet)
        for packet in ("42[", "42" + "[" * 60_000, '42["x",NaN]', "420", "43[]", "44[]", "45", "46-[1]")
    ),
    *(frame(TEXT, packet) for packet in ("40", "40[", '4"2[1]"', "bQUJD", '42[{"a":1}]', "401-")),
    frame(BINARY, b"unasked"),
    frame(TEXT, f'451-["x",{PLACEHOLDER}]') + frame(TEXT, '42["x"]'),
    frame(TEXT, '451-["x",{"_placeholder":true,"num":1}]') + frame(BINARY, b"x"),
    frame(TEXT, b"\xff\xfe"),
    frame(TEXT, "42[]", mask=None),
    frame(CONTINUATION, b"of nothing"),
    frame(TEXT, b"4", final=False) + frame(TEXT, b"2[]"),
    frame(PING, b"x", final=False),
    frame(TEXT, b"", length=(1 << 63) + 1),
    *(frame(opcode) for opcode in (3, 11)),
    frame(TEXT, "3", reserved=2),
    wire.closing(1000, b"\xff"),
]


def test_malformed_frames_and_packets_end_the_session_and_leave_nothing(server):
    for number, data in enumerate(MALFORMED):
        client, _, eio_sid = in_namespace(server)
        client.send(data)
        assert ended(client), (number, data[:40])
        forgotten(server, eio_sid)
    empty(server)
    assert "Traceback" not in server.log


def test_a_message_that_is_too_large_ends_the_session(server):
    parts = [frame(TEXT, '42["echo","', final=False), *[frame(CONTINUATION, b"x" * FEW_BYTES, final=False)] * 12]
    for data in ([frame(TEXT, '42["echo","' + "x" * 1_100_000 + '"]')], parts):
        client, _, eio_sid = in_namespace(server)
        with contextlib.suppress(OSError):
            client.send(*data)
        assert ended(client)
        forgotten(server, eio_sid)
    stranger, opened = wire.open_session(server.port)
    assert ended(stranger.text('40{"a":"' + "x" * FEW_BYTES + '"}'))
    forgotten(server, opened["sid"])


@pytest.fixture(scope="module", params=TRANSPORTS)
def impatient(request, tmp_path_factory):
    """A server that waits for attachments for a few seconds."""
    ping = {"SOCKET_PING_INTERVAL_SECONDS": "0.3", "SOCKET_PING_TIMEOUT_SECONDS": "3"}
    running = start(tmp_path_factory.mktemp(f"impatient-{request.param}"), request.param, **ping).wait_ready()
    yield running
    running.stop()


@pytest.mark.server
def test_a_packet_whose_attachments_do_not_come_is_given_up(impatient):
    client, _, eio_sid = in_namespace(impatient)
    client.text(f'451-["echo",{PLACEHOLDER}]')
    while (said := client.read())[0] == TEXT:
        client.text("3")
    assert said[0] == wire.CLOSE
    forgotten(impatient, eio_sid)
    assert "attachments_timeout" in impatient.log

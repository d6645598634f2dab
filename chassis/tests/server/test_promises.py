"""What every transport keeps, on the wire; chassis/docs/transports.md names the test of each of its rows."""

import contextlib
import json
import re
from pathlib import Path

import pytest

from chassis.tests.conftest import ROOT, TRANSPORTS
from chassis.tests.patience import wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import release, start, wait_held
from chassis.tests.server.wire import BINARY, CONTINUATION, PING, TEXT, Polling, Wire, frame

PLACEHOLDER = '{"_placeholder":true,"num":0}'
RESERVED = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]
FEW_BYTES, NAMESPACES, ROOMS = 100_000, 2, 3
CITED = re.compile(r"`(chassis/tests/[\w/]+\.py)::(\w+)`")
FAST_ALONE = {"fast", "opened", "polling", "joined", "restless"}  # the fixtures of its server and sessions
PROMISES = (ROOT / "chassis/docs/transports.md").read_text().partition("## The promises")[2]
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ")][1:]


@pytest.fixture(scope="module")
def server_settings():
    return {"SOCKET_MAX_NAMESPACES": str(NAMESPACES), "SOCKET_MAX_ROOMS": str(ROOMS)}


def ended(client):
    """Read until the server closes; what else comes is dropped."""
    try:
        while client.read()[0] != wire.CLOSE:
            continue
    except (EOFError, OSError):
        pass
    return True


def in_namespace(server, namespace="/"):
    """Return a websocket in a namespace, and its sid there."""
    client, opened = wire.open_session(server.port)
    prefix = "40" if namespace == "/" else f"40{namespace},"
    client.text(prefix)
    while not (said := client.read_text()).startswith(prefix):
        continue
    return client, json.loads(said.removeprefix(prefix))["sid"], opened["sid"]


def answer_to(client, packet):
    """Send an event that asks for an answer, and return the answer."""
    number = re.match(r"42(?:/\w+,)?(\d+)", packet)[1]
    client.text(packet)
    while not re.match(rf"43(?:/\w+,)?{number}\[", said := client.read_text()):
        continue
    return json.loads(said[said.index("[") :])


def forgotten(server, eio_sid):
    """Wait until a session is not kept, in any count."""
    wait_until(lambda: server.json(f"/kept/{eio_sid}") is False, "the session is kept")


def empty(server):
    """Wait until no client is left, in no count."""
    wait_until(lambda: server.json("/present") == [0, 0], "clients are kept")
    wait_until(lambda: server.metric("socket_connections") == 0, "clients are counted")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_of_the_table_names_a_test_that_runs_under_the_transports_it_is_about(row):
    _, _promise, _fast, stock, shown_by, _ = row.split("|")
    cited = CITED.findall(shown_by)
    assert cited, "no test is named"
    for path, name in cited:
        found = re.search(rf"^def {name}\(([^)]*)\)", (ROOT / path).read_text(), re.MULTILINE)
        assert found, name
        runs_under_stock = not FAST_ALONE & set(found[1].split(", "))
        assert runs_under_stock == stock.strip().startswith("yes"), name


def test_each_test_of_a_promise_is_named_in_a_row_of_the_table():
    tests = re.findall(r"^def (test_\w+)\((?:server|impatient)\b", Path(__file__).read_text(), re.MULTILINE)
    assert set(tests) <= {name for row in ROWS for _, name in CITED.findall(row)}


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


def test_an_event_named_as_a_catch_all_cannot_speak_for_another_client(server):
    (one, _, _), (other, sid, _) = in_namespace(server, "/all"), in_namespace(server, "/all")
    assert answer_to(one, f'42/all,1["*","{sid}","x"]')[0]["error"]["code"] == "not_found"
    one.end()
    other.end()


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


def test_a_probe_that_is_none_leaves_the_session_to_its_polls(server):
    for said in ("x", "", "4[", "2"):
        client = Polling(server.port, joined=True)
        websocket = client.upgrading().text(said)
        assert ended(websocket)
        assert client.post('427["echo",1]')[0] == 200
        while "437[" not in client.get()[1]:
            continue
        client.ask("POST", client.path, b"1")


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


def test_an_acknowledgement_with_a_number_that_was_not_given_harms_nobody(server):
    client, _, _ = in_namespace(server)
    for _ in range(2):
        client.text('42["with callback"]')
        while not re.match(r'42\d+\["question"', said := client.read_text()):
            continue
        client.text("430[1]", "439999[1]", f"43{re.match(r'42([0-9]+)', said)[1]}[1]")
    assert answer_to(client, '421["echo",1]') == [1]
    client.end()
    assert "Traceback" not in server.log


@pytest.mark.parametrize("room", ["null", '"sid"'])
def test_who_leaves_no_room_stays_a_client(server, room):
    client, sid, _ = in_namespace(server)
    answer = answer_to(client, f'421["leave",{room.replace("sid", sid)}]')
    assert answer == [[sid]]
    client.text(f'42["shout","{sid}","still here",true]')
    while client.read_text() != '42["heard","still here"]':
        continue
    client.end()


def test_a_client_that_leaves_during_its_connect_handler_leaves_nothing(server):
    empty(server)
    client = Polling(server.port)
    posted = Wire(server.port).request("POST", client.path, body=b'40{"please":"wait"}')
    wait_held(server)
    client.ask("POST", client.path, b"1")
    release(server)
    forgotten(server, client.opened["sid"])
    posted.end()
    empty(server)


def test_nobody_gets_events_before_the_connect_handler_let_him_in(server):
    member, _, _ = in_namespace(server)
    waiting = wire.open_session(server.port)[0].text('40{"please":"wait"}')
    wait_held(server)
    assert answer_to(member, '421["everybody","secret"]') == []
    assert waiting.silent()
    release(server)
    assert waiting.read_text().startswith("40{")
    waiting.end()
    member.end()


def test_an_answer_does_not_reach_a_client_that_was_sent_away_meanwhile(server):
    client, sid, _ = in_namespace(server)
    client.text('427["hold",1]')
    wait_held(server)
    server.request("POST", f"/send-away/{sid}")
    release(server)
    while client.read_text() != "41":
        continue
    client.text("40")
    said = [client.read_text() for _ in range(3)]
    assert not [text for text in said if text.startswith("437")]
    client.end()


def test_a_client_joins_a_namespace_once(server):
    client, _, eio_sid = in_namespace(server)
    assert ended(client.text("40"))
    forgotten(server, eio_sid)


def test_a_client_may_be_in_so_many_namespaces_and_rooms(server):
    client, _, _ = in_namespace(server)
    for number in range(ROOMS):
        assert len(answer_to(client, f'42{number + 1}["join","room {number}"]')[0]) == number + 2
    assert answer_to(client, '429["join","one more"]')[0]["error"]["code"] == "too_many_rooms"
    assert client.text("40/all,").read_text().startswith("40/all,{")
    assert client.text("40/classy,").read_text() == '44/classy,{"message":"Too many namespaces"}'
    client.end()

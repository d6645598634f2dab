"""The fast transport keeps to Engine.IO protocol 4: sessions, long polls, upgrades, heartbeats."""

import base64
import json
import time

import pytest

from chassis.tests.patience import let_pass
from chassis.tests.server import wire
from chassis.tests.server.wire import UPGRADE, Polling, Wire, frame

SEPARATOR = "\x1e"
PING, PONG = 0.3, 2.25  # seconds to a ping, and to its answer
ON_TIME = 10  # sessions that begin at various times
RESETS = 20  # of which some arrive together with what was sent before them


@pytest.fixture
def polling(fast):
    """A session by long polls, in no namespace yet."""
    return Polling(fast.port)


@pytest.fixture
def joined(fast):
    """A session by long polls in the main namespace."""
    return Polling(fast.port, joined=True)


def refusal(port, method, path, headers=None, body=b""):
    """Return (status, code) of a request, whose body has to be an error of Engine.IO."""
    status, answered, said = Wire(port).request(method, path, headers, body).answer()
    assert answered["content-type"] == "application/json", said
    error = json.loads(said)
    assert set(error) == {"code", "message"} and error["message"]
    return status, error["code"]


def gone(polling):
    status, said = polling.get()
    return (status, json.loads(said)["code"]) == (400, 1)


@pytest.fixture(scope="module")
def fast_settings():
    return {"SOCKET_PING_TIMEOUT_SECONDS": "20"}  # the default, which servers of the tests do not have


def test_the_open_packet_tells_all_that_a_client_needs(fast, polling):
    expected = {"pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 1_000_000}
    assert polling.opened == {"sid": polling.opened["sid"], "upgrades": ["websocket"], **expected}
    _, opened = wire.open_session(fast.port)
    assert opened == {"sid": opened["sid"], "upgrades": [], **expected}
    assert len({polling.opened["sid"], opened["sid"]}) == 2
    assert len(opened["sid"]) >= 20


def test_an_answer_is_text_and_says_its_length(fast):
    status, headers, body = Wire(fast.port).request("GET", wire.path("polling")).answer()
    assert (status, headers["content-type"], headers["content-length"]) == (
        200,
        "text/plain; charset=UTF-8",
        str(len(body)),
    )


def test_packets_go_both_ways_by_polls(joined):
    assert joined.post('42["echo","one"]') == (200, "ok")
    assert joined.get() == (200, '42["echo","one"]')


def test_several_packets_go_in_one_body_with_a_separator_between_them(joined):
    numbers = range(3)
    assert joined.post(SEPARATOR.join(f'42["echo",{i}]' for i in numbers)) == (200, "ok")
    assert joined.get() == (200, SEPARATOR.join(f'42["echo",{i}]' for i in numbers))


def test_a_separator_inside_of_a_text_is_no_separator(joined):
    assert joined.post('42["echo","a\\u001eb"]') == (200, "ok")
    assert joined.get() == (200, '42["echo","a\\u001eb"]')


def test_bytes_are_base64_in_polls(joined):
    data = base64.b64encode(bytes(range(256))).decode()
    text = '451-["echo",{"_placeholder":true,"num":0}]' + SEPARATOR + "b" + data
    assert joined.post(text) == (200, "ok")
    assert joined.get() == (200, text)


@pytest.mark.parametrize(
    "body", ["abc", "b!!!", "4x", "2", "0", "7", '42["echo"]\x1e', "\x1e", "b" + "YQ", "42[\x1e1]"]
)
def test_a_body_that_is_no_payload_is_refused_and_ends_the_session(joined, body):
    status, said = joined.post(body)
    assert (status, json.loads(said)["code"]) == (400, 3)
    assert gone(joined)


def test_a_body_that_is_not_utf8_is_refused_and_ends_the_session(joined):
    assert joined.ask("POST", joined.path, b"4\xff")[0] == 400
    assert gone(joined)


def test_a_body_that_is_too_large_is_refused(joined):
    assert joined.ask("POST", joined.path, b"4" * 1_000_001)[0] == 413
    assert joined.post('42["echo",1]') == (200, "ok")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("EIO=4", 0),
        ("EIO=4&transport=", 0),
        ("EIO=4&transport=carrier-pigeon", 0),
        ("EIO=4&transport=webtransport", 0),
        ("EIO=4&transport=polling&sid=unknown", 1),
        ("EIO=4&transport=polling&sid=%00", 1),
        ("EIO=4&transport=websocket", 3),
        ("transport=polling", 5),
        ("EIO=&transport=polling", 5),
        ("EIO=abc&transport=polling", 5),
        ("EIO=3&transport=polling", 5),
        ("EIO=5&transport=polling", 5),
    ],
)
def test_a_wrong_question_gets_the_errors_of_the_protocol(fast, query, code):
    assert refusal(fast.port, "GET", f"/socket.io/?{query}") == (400, code)


@pytest.mark.parametrize("query", ["EIO=3&transport=websocket", "transport=websocket", "EIO=4&transport=no"])
def test_a_wrong_question_is_refused_before_it_becomes_a_websocket(fast, query):
    assert refusal(fast.port, "GET", f"/socket.io/?{query}", UPGRADE)[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS-LIKE"])
def test_a_wrong_method_is_refused(fast, polling, method):
    assert refusal(fast.port, method, wire.path("polling"), body=b"4") == (400, 2)
    if method != "POST":
        assert refusal(fast.port, method, polling.path, body=b"4") == (400, 2)
        assert polling.post("40") == (200, "ok")


def test_two_polls_at_once_end_the_session(joined):
    first = joined.waiting()
    assert first.silent()
    assert joined.get()[0] == 400
    assert first.answer()[2] == b"1"
    assert gone(joined)


def test_two_posts_at_once_end_the_session(fast, joined):
    headers = {"Host": "localhost", "Content-Length": "5"}
    first = Wire(fast.port).request("POST", joined.path, headers).send(b"42")
    joined.wait_for("posting")
    assert first.silent()
    assert joined.post('42["echo",1]')[0] == 400
    assert gone(joined)


def test_a_session_goes_when_its_client_comes_back_from_a_cancelled_poll(joined):
    joined.waiting().end()
    assert joined.get()[0] == 400
    assert gone(joined)


def test_a_pending_poll_is_answered_when_the_client_closes(joined):
    pending = joined.waiting()
    assert pending.silent()
    assert joined.post("1") == (200, "ok")
    assert pending.answer()[2] == b"6"
    assert gone(joined)


def test_a_pending_poll_is_answered_when_the_server_sends_the_client_away(joined):
    pending = joined.waiting()
    assert joined.post('42["go away"]') == (200, "ok")
    assert pending.answer()[2] == b"41"


def test_a_pending_poll_is_answered_when_a_rule_was_broken(joined):
    pending = joined.waiting()
    assert pending.silent()
    assert joined.post("4nonsense")[0] == 400
    assert pending.answer()[2] == b"1"


def test_a_websocket_that_breaks_the_protocol_is_closed(fast):
    for said in ["abc", "", "2", "0{}", "7", "4", "b64"]:
        client, _ = wire.open_session(fast.port)
        assert client.text(said).read_close() == 1002, said


def test_a_client_may_close_a_websocket_by_a_packet(fast):
    client, _ = wire.open_session(fast.port)
    assert client.text("1").read_close() == 1000


def test_a_session_goes_on_by_websocket(joined):
    pending, websocket = joined.waiting(), joined.upgrading()
    assert pending.silent()
    assert websocket.text("2probe").read_text() == "3probe"
    assert pending.answer()[2] == b"6"
    assert joined.get() == (200, "6")
    websocket.text("5", '42["echo","by websocket"]')
    assert websocket.read_text() == '42["echo","by websocket"]'


def test_what_waited_for_a_poll_comes_first_by_websocket(joined):
    websocket = joined.upgrading()
    assert websocket.text("2probe").read_text() == "3probe"
    assert joined.post('42["echo",1]\x1e42["echo",2]') == (200, "ok")
    websocket.text("5", '42["echo",3]')
    assert [websocket.read_text() for _ in range(3)] == [f'42["echo",{i}]' for i in (1, 2, 3)]


def test_after_the_upgrade_the_session_is_not_there_for_others(fast, joined):
    websocket = joined.upgrading()
    websocket.text("2probe", "5").read_text()
    websocket.text('42["echo",1]').read_text()
    assert refusal(fast.port, "GET", joined.path) == (400, 3)
    assert refusal(fast.port, "POST", joined.path, body=b'42["echo",2]') == (400, 3)
    assert joined.upgrading().read_close() is None
    websocket.text('42["echo",3]')
    assert websocket.read_text() == '42["echo",3]'


def test_a_websocket_of_an_unknown_session_is_refused(fast):
    assert refusal(fast.port, "GET", wire.path(sid="unknown"), UPGRADE) == (400, 1)


@pytest.mark.parametrize("said", [["5"], ["4x"], ["2"], ["2probe", "2probe"], ["2probe", "4x"], ["2probe", ""], ["1"]])
def test_a_probe_that_is_none_is_closed_and_the_session_goes_on_by_polls(joined, said):
    websocket = joined.upgrading().text(*said)
    if said[0] == "2probe":
        assert websocket.read_text() == "3probe"
    assert websocket.read_close() == 1002
    assert joined.post('42["echo","still here"]') == (200, "ok")
    assert joined.get() == (200, '42["echo","still here"]')


def test_a_binary_probe_is_none(joined):
    assert joined.upgrading().send(frame(wire.BINARY, b"2probe")).read_close() in (1002, 1003)
    assert joined.post('42["echo",1]') == (200, "ok")


def test_a_client_that_gave_up_its_probe_may_try_again(joined):
    first = joined.upgrading()
    first.text("2probe").read_text()
    first.end()
    joined.wait_for("probing", False)
    second = joined.upgrading()
    assert second.text("2probe").read_text() == "3probe"
    assert second.text("5", '42["echo",1]').read_text() == '42["echo",1]'


def test_a_probe_that_is_reset_at_once_leaves_the_session_on_polls(fast):
    for _ in range(RESETS):
        client = Polling(fast.port, joined=True)
        client.upgrading().text("2probe").cut()
        client.wait_for("probing", False)
        assert client.post('42["echo",1]') == (200, "ok")
        assert client.get() == (200, '42["echo",1]')
        client.leave()


def test_a_session_has_one_probe_at_a_time(fast, joined):
    first = joined.upgrading()
    assert joined.upgrading().read_close() is None
    assert first.text("2probe").read_text() == "3probe"


def test_a_probe_ends_with_its_session(joined):
    websocket = joined.upgrading()
    assert joined.post("1") == (200, "ok")
    assert websocket.read()[0] == wire.CLOSE
    assert websocket.ended()


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


def test_there_may_be_no_polls(matrix):
    server = matrix(SOCKET_TRANSPORTS="websocket")
    assert refusal(server.port, "GET", wire.path("polling")) == (400, 0)
    assert wire.open_session(server.port)[1]["upgrades"] == []


def test_there_may_be_no_websockets(matrix):
    server = matrix(SOCKET_TRANSPORTS="polling")
    assert Polling(server.port).opened["upgrades"] == []
    assert refusal(server.port, "GET", wire.path(), UPGRADE) == (400, 0)

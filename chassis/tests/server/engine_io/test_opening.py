"""A session is opened as Engine.IO 4 says, and a wrong request gets the protocol's errors."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.engine_io.refusals import refusal
from chassis.tests.server.wire import UPGRADE, Polling, Wire


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


def test_a_websocket_that_breaks_the_protocol_is_closed(fast):
    for said in ["abc", "", "2", "0{}", "7", "4", "b64"]:
        client, _ = wire.open_session(fast.port)
        assert client.text(said).read_close() == 1002, said


def test_a_client_may_close_a_websocket_by_a_packet(fast):
    client, _ = wire.open_session(fast.port)
    assert client.text("1").read_close() == 1000


def test_a_websocket_of_an_unknown_session_is_refused(fast):
    assert refusal(fast.port, "GET", wire.path(sid="unknown"), UPGRADE) == (400, 1)


def test_there_may_be_no_polls(matrix):
    server = matrix(SOCKET_TRANSPORTS="websocket")
    assert refusal(server.port, "GET", wire.path("polling")) == (400, 0)
    assert wire.open_session(server.port)[1]["upgrades"] == []


def test_there_may_be_no_websockets(matrix):
    server = matrix(SOCKET_TRANSPORTS="polling")
    assert Polling(server.port).opened["upgrades"] == []
    assert refusal(server.port, "GET", wire.path(), UPGRADE) == (400, 0)

"""What a handler and a client see is the same under the fast and the stock transport, by websocket and by polls."""

import json
import socket

import pytest
import requests
import socketio

from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.server import wire
from chassis.tests.server.conftest import Client, release, wait_held


def seen(server, kind):
    return [entry[1:] for entry in requests.get(f"{server.url}/seen", timeout=LIMIT_SECONDS).json() if entry[0] == kind]


def test_arguments_and_answers_come_back_as_they_were(join):
    client = join()
    for args in [(), (1,), ("text", None), ({"a": [1, {"b": "ü\u2028\x00"}]}, True, 2.5)]:
        expected = args[0] if len(args) == 1 else (tuple(args) if args else None)
        answer = client.call("echo", args)
        assert (tuple(answer) if isinstance(answer, list) and len(args) != 1 else answer) == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 400_000])
def test_messages_of_every_length_come_through(join, size):
    assert join().call("echo", "x" * size) == "x" * size


def test_bytes_come_back_as_bytes(join):
    data = bytes(range(256)) * 10
    assert join().call("echo", data) == data
    assert join().call("echo", {"deep": [data, {"er": b""}], "text": "t"}) == {
        "deep": [data, {"er": b""}],
        "text": "t",
    }


@pytest.mark.parametrize("way", ["emit", "call", "broadcast", "answer"])
def test_more_byte_values_than_clients_take_are_refused_where_they_are_sent(join, way):
    client = join()
    assert client.call("several", (10, way)) in ("sent", [bytes([number]) for number in range(10)])
    refused = client.call("several", (11, way))
    if way == "answer":
        assert refused["error"]["code"] == "internal_error"
    else:
        assert "may carry 10 byte values, not 11" in refused
    assert client.call("echo", "still here") == "still here"


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_a_client_cannot_emit_what_is_the_library_s_own(server, name):
    client = wire.open_session(server.port)[0].text("40")
    while not (said := client.read_text()).startswith("40"):
        continue
    sid = json.loads(said[2:])["sid"]
    client.text(f'42["{name}",{{}}]')
    while client.read()[0] != wire.CLOSE:
        continue
    wait_until(lambda: sid in [entry[0] for entry in seen(server, "disconnect")])
    assert [entry[0] for entry in seen(server, "disconnect")].count(sid) == 1


def test_emits_in_the_connect_handler_reach_the_client(join, wait_for):
    client = join(auth={"token": 1})
    wait_for(lambda: len(client.got("early")) == 2)
    assert client.got("early")[0] == [{"auth": {"token": 1}}]


def test_a_refused_client_learns_why(join):
    rejected, told = {"message": "Connection rejected by server"}, {"message": "not today", "data": {"retry": 5}}
    for please, expected in [("refuse", rejected), ("raise", told)]:
        client = join.client()
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.join(auth={"please": please}, retry=False, wait_timeout=LIMIT_SECONDS)
        assert client.got("connect_error") == [[expected]]


def test_a_handler_sees_the_request_that_began_the_connection(join, server):
    client = join(headers={"User-Agent": "matrix", "X-Custom": "yes"})
    answer = client.call("whoami")
    assert answer == {
        "sid": client.get_sid(),
        "namespace": "/",
        "event": "whoami",
        "agent": "matrix",
        "custom": "yes",
        "query": None,
        "remote": "127.0.0.1",
        "path": "/socket.io/",
        "app": "app",
        "fresh": True,
        "endpoint": None,
    }
    assert client.call("whoami")["fresh"] is True


def test_the_session_lasts_as_long_as_the_connection_and_is_the_clients_own(join):
    one, other = join(), join()
    assert one.call("session", ("color", "red")) == [None, "connect"]
    assert one.call("session", ("color", "blue")) == ["red", "connect"]
    assert other.call("session", ("color", "green")) == [None, "connect"]


def test_rooms_hold_who_joined_and_not_who_left(join, wait_for):
    one, two, three = join(), join(), join()
    assert one.call("join", "room") == sorted([one.get_sid(), "room"])
    two.call("join", "room")
    one.call("shout", ("room", "a", True))
    one.call("shout", ("room", "b", False))
    wait_for(lambda: two.got("heard") == [["a"], ["b"]])
    assert one.got("heard") == [["a"]]
    assert two.call("leave", "room") == [two.get_sid()]
    one.call("shout", ("room", "c", True))
    one.call("shout", (two.get_sid(), "for you", True))
    wait_for(lambda: two.got("heard")[-1] == ["for you"])
    one.call("close", "room")
    one.call("shout", ("room", "d", True))
    one.call("everybody", "end")
    wait_for(lambda: all(client.got("heard")[-1:] == [["end"]] for client in (one, two, three)))
    assert one.got("heard") == [["a"], ["c"], ["end"]]
    assert three.got("heard") == [["end"]]


def test_messages_and_json_messages_have_their_own_events(join, wait_for):
    client = join()
    client.send("hello")
    client.emit("json", {"a": 1})
    wait_for(lambda: client.got("json") == [[{"json": {"a": 1}}]])
    assert client.got("message") == [["hello"]]


def test_a_handler_may_call_its_client_and_wait(join):
    assert join().call("ask", "why") == {"answer": "answer to why"}


def test_a_callback_runs_in_the_context_of_its_client(join, server, wait_for):
    client = join()
    client.emit("with callback")
    sid = client.get_sid()
    wait_for(lambda: [sid, ["answer to callback"], sid] in seen(server, "callback"))


def test_events_come_from_requests_and_from_background_tasks(join, server, wait_for):
    client = join()
    requests.post(f"{server.url}/emit", timeout=LIMIT_SECONDS)
    requests.post(f"{server.url}/background", timeout=LIMIT_SECONDS)
    wait_for(lambda: client.got("heard")[-2:] == [["from a request"], ["from the background"]])


def test_an_exception_is_told_in_the_acknowledgement_and_closes_nothing(join):
    client = join()
    answer = client.call("fails")
    assert answer["ok"] is False
    assert answer["error"]["code"] == "internal_error"
    assert "on purpose" not in str(answer)
    assert client.call("echo", "still here") == "still here"


def test_an_applications_error_handler_is_asked_first(join):
    client = join(namespaces=["/handled"])
    assert client.call("fails", namespace="/handled") == ["handled", "on purpose"]


def test_namespaces_have_sids_and_handlers_of_their_own(join):
    client = join(namespaces=["/", "/all", "/classy"])
    assert len({client.get_sid(name) for name in ("/", "/all", "/classy")}) == 3
    assert client.call("anything", (1, 2), namespace="/all") == ["caught", "anything", 1, 2]
    assert client.call("add", (1, 2), namespace="/classy") == 3
    assert client.call("whoami")["namespace"] == "/"


def test_an_unknown_namespace_is_refused(join):
    with pytest.raises(socketio.exceptions.ConnectionError):
        join(namespaces=["/nowhere"], retry=False, wait_timeout=LIMIT_SECONDS)


def test_the_server_may_send_a_client_away(join, server, wait_for):
    client = join()
    sid = client.get_sid()
    client.emit("go away")
    wait_for(lambda: [sid, "server disconnect"] in seen(server, "disconnect"))
    wait_for(lambda: not client.connected)


def test_a_client_that_says_goodbye_is_heard(join, server, wait_for):
    client = join(namespaces=["/", "/all"])
    sid = client.get_sid()
    client._send_packet(client.packet_class(socketio.packet.DISCONNECT, namespace="/"))
    wait_for(lambda: [sid, "client disconnect"] in seen(server, "disconnect"))
    assert client.call("x", namespace="/all") == ["caught", "x"]


def test_a_lost_websocket_is_told_as_such(join, server, wait_for):
    if join.transport == "polling":
        return
    client = join()
    sid = client.get_sid()
    client.reconnection = False
    client.eio.ws.sock.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: [sid, "transport close"] in seen(server, "disconnect"))


def test_one_clients_slow_handler_holds_up_nobody_else(join, server, wait_for):
    slow, quick = join(), join()
    slow.emit("hold", 1)
    wait_held(server)
    assert quick.call("echo", 1, timeout=LIMIT_SECONDS) == 1
    assert slow.got("done") == []
    release(server)
    wait_for(lambda: slow.got("done") == [[1]])


def test_a_client_upgrades_from_polls_to_a_websocket(server):
    client = Client().join(server.url)
    assert client.transport() == "websocket"
    assert client.call("echo", b"bytes") == b"bytes"
    client.eio.disconnect(abort=True)

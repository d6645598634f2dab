"""What the one wrapper gives every handler, in a real server under each transport."""

import json
import re

import pytest
import socketio

from chassis.tests.realtime.conftest import BURST


def counted(server, event):
    """Return {outcome: number} of an event."""
    found = re.findall(rf'socket_events_total{{event="{event}",outcome="(\w+)"}} (\S+)', server.get("/metrics")[1])
    return {outcome: float(number) for outcome, number in found}


def lines(server, event, sid):
    """Return the log lines about an event of a connection."""
    found = [json.loads(line) for line in server.log.splitlines() if sid in line]
    return [line for line in found if (line.get("socket_event"), line["sid"]) == (event, sid)]


def test_a_message_is_validated_by_the_handlers_annotation(server, connect):
    one = connect(server, namespaces=["/", "/quiet"])
    for namespace in ("/", "/quiet"):
        assert one.call("order", {"count": "2"}, namespace=namespace) == {"count": 3}
        for wrong in ({}, {"count": 0}, {"count": "x"}, None, "text", [1]):
            answer = one.call("order", wrong, namespace=namespace)
            assert (answer["ok"], answer["error"]["code"]) == (False, "invalid_message")
        assert one.call("order", {"count": 0}, namespace=namespace)["error"]["message"].startswith("count: ")


def test_a_handler_without_an_annotation_gets_what_was_sent_and_its_answer_comes_as_it_is(server, connect):
    one = connect(server)
    assert one.call("plain", ("a", {"b": 1})) == ["a", {"b": 1}]
    assert one.call("two", ("x", "y")) == "xy"
    assert one.call("silent") is None
    assert one.call("plain", b"bytes") == [b"bytes"]


def test_every_failure_is_an_answer_and_closes_nothing(server, connect):
    one = connect(server)
    assert one.call("taken") == {"ok": False, "error": {"code": "seat_taken", "message": "It is taken."}}
    for event, data, code in [
        ("crash", "x", "internal_error"),
        ("unsendable", None, "internal_error"),
        ("runs out", None, "internal_error"),
        ("two", "alone", "invalid_message"),
        ("two", ("one", "two", "three"), "invalid_message"),
        ("two", ("one", 2), "internal_error"),
    ]:
        answer = one.call(event, data)
        assert (answer["ok"], answer["error"]["code"]) == (False, code), event
        assert "inside" not in str(answer)
    assert one.call("plain", "still here") == ["still here"]


def test_the_connection_hook_is_asked_in_every_namespace(server, connect):
    for namespaces in (["/"], ["/other"], ["/quiet"]):
        assert connect(server, namespaces=namespaces).connected
        with pytest.raises(socketio.exceptions.ConnectionError):
            connect(server, namespaces=namespaces, auth={"who": "stranger"}, retry=False)


def test_the_gauge_of_connections_comes_back_to_where_it_was(server, connect, wait_for):
    wait_for(lambda: server.metric("socket_connections") == 0)  # those of other tests have left
    one = connect(server, namespaces=["/", "/other", "/quiet"])
    assert server.metric("socket_connections") == 3
    one.disconnect()
    wait_for(lambda: server.metric("socket_connections") == 0)


def test_a_join_asks_the_hook(server, connect):
    one = connect(server)
    assert one.join("secrets")["error"]["code"] == "forbidden"
    assert one.join("open")["ok"] is True
    server.post("/publish/secrets/1")
    server.post("/publish/open/1")
    assert one.call("plain", "x") == ["x"]
    assert [data["stream"]["room"] for _, data in one.received] == ["open"]


def test_a_handlers_own_rate_holds_for_each_connection_and_event(server, connect, wait_for):
    one, other = connect(server), connect(server)
    answers = []
    for _ in range(10):
        one.emit("seldom", callback=answers.append)
    wait_for(lambda: len(answers) == 10)
    assert answers[:3] == ["done"] * 3
    assert "rate_limited" in [answer["error"]["code"] for answer in answers if answer != "done"]
    assert other.call("seldom") == "done"
    assert one.call("plain", 1) == [1]
    wait_for(lambda: one.call("seldom") == "done")


def test_the_settings_rate_holds_for_handlers_without_their_own(strict, connect):
    one = connect(strict)
    assert [one.call("plain", n) for n in range(BURST)] == [[n] for n in range(BURST)]
    assert one.call("plain", BURST)["error"]["code"] == "rate_limited"
    assert [one.call("often") for _ in range(5)] == ["done"] * 5
    assert [one.call("seldom") for _ in range(3)] == ["done"] * 3


def test_events_errors_and_times_are_counted_by_event(server, connect):
    one = connect(server, namespaces=["/other"])
    before = counted(server, "ping")
    for _ in range(3):
        assert one.call("ping", namespace="/other") == "pong"
    assert counted(server, "ping")["ok"] == before.get("ok", 0) + 3
    two, failed = connect(server), counted(server, "taken").get("seat_taken", 0)
    two.call("taken")
    assert counted(server, "taken") == {"seat_taken": failed + 1}
    assert re.search(r'socket_event_duration_seconds_count{event="ping"} \d', server.get("/metrics")[1])


def test_each_event_is_one_line_with_the_sid_and_an_id_of_its_own(server, connect, wait_for):
    one = connect(server)
    sid = one.get_sid()
    one.call("plain", "a"), one.call("plain", "b"), one.call("taken"), one.call("crash")
    wait_for(lambda: lines(server, "crash", sid))
    good, refused, failed = (lines(server, event, sid) for event in ("plain", "taken", "crash"))
    assert [len(good), len(refused), len(failed)] == [2, 1, 1]
    assert [line["level"].upper() for line in (good[0], refused[0], failed[0])] == ["DEBUG", "INFO", "ERROR"]
    assert [line["outcome"] for line in (good[0], refused[0], failed[0])] == ["ok", "seat_taken", "internal_error"]
    assert "RuntimeError" in str(failed[0])
    everything = good + refused + failed
    assert len({line["request_id"] for line in everything}) == 4
    assert all(line["duration_ms"] >= 0 for line in everything)


def test_successes_are_no_line_at_the_level_of_every_day(strict, connect, wait_for):
    one = connect(strict)
    one.call("plain", "a"), one.call("taken")
    wait_for(lambda: lines(strict, "taken", one.get_sid()))
    assert lines(strict, "plain", one.get_sid()) == []

"""Packets go both ways by long polls, and what breaks the rules of polls ends the session."""

import base64
import json

import pytest

from chassis.tests.server.engine_io.refusals import gone
from chassis.tests.server.wire import Wire

SEPARATOR = "\x1e"


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

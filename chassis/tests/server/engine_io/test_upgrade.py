"""A session goes on by websocket after a probe, and stays on polls without one."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.engine_io.refusals import refusal
from chassis.tests.server.wire import Polling, frame

RESETS = 20  # of which some arrive together with what was sent before them


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

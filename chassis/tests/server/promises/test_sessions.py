"""Clients and sessions: what every transport keeps of them, and what it counts."""

import re

import pytest

from chassis.tests.server import wire
from chassis.tests.server.conftest import release, wait_held
from chassis.tests.server.promises.sessions import ROOMS, answer_to, empty, ended, forgotten, in_namespace
from chassis.tests.server.wire import Polling, Wire


def test_an_event_named_as_a_catch_all_cannot_speak_for_another_client(server):
    (one, _, _), (other, sid, _) = in_namespace(server, "/all"), in_namespace(server, "/all")
    assert answer_to(one, f'42/all,1["*","{sid}","x"]')[0]["error"]["code"] == "not_found"
    one.end()
    other.end()


def test_a_probe_that_is_none_leaves_the_session_to_its_polls(server):
    for said in ("x", "", "4[", "2"):
        client = Polling(server.port, joined=True)
        websocket = client.upgrading().text(said)
        assert ended(websocket)
        assert client.post('427["echo",1]')[0] == 200
        while "437[" not in client.get()[1]:
            continue
        client.ask("POST", client.path, b"1")


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
    empty(server)

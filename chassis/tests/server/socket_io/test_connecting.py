"""Clients join namespaces as Socket.IO 5 says, and leave them."""

import json

import pytest

from chassis.tests.server import wire
from chassis.tests.server.conftest import release, wait_held
from chassis.tests.server.socket_io.packets import refused


def test_a_client_joins_the_main_namespace(opened):
    said = opened.text("40").read_text()
    assert said.startswith("40{")
    assert list(json.loads(said[2:])) == ["sid"]


def test_what_a_client_sends_to_be_let_in_reaches_the_handler(opened):
    opened.text('40{"token":"123"}')
    assert opened.read_text().startswith('40{"sid":"')
    assert opened.read_text() == '42["early",{"auth":{"token":"123"}}]'


def test_a_client_joins_other_namespaces_with_sids_of_their_own(opened):
    said = [opened.text(packet).read_text() for packet in ("40/all,", "40/classy,", "40/handled")]
    assert [text.partition(",")[0] for text in said] == ["40/all", "40/classy", "40/handled"]
    assert len({json.loads(text.partition(",")[2])["sid"] for text in said}) == 3


def test_the_query_of_a_namespace_is_no_part_of_its_name(opened):
    assert opened.text("40/all?token=1,").read_text().startswith('40/all,{"sid":')


def test_an_unknown_namespace_is_refused_and_the_connection_stays(opened):
    assert opened.text("40/random,").read_text() == '44/random,{"message":"Invalid namespace"}'
    assert opened.text("40/random").read_text() == '44/random,{"message":"Invalid namespace"}'
    assert opened.text("40").read_text().startswith("40{")


def test_a_refused_client_learns_why_and_may_ask_again(opened):
    assert opened.text('40{"please":"refuse"}').read_text() == '44{"message":"Connection rejected by server"}'
    assert opened.text('40{"please":"raise"}').read_text() == '44{"message":"not today","data":{"retry":5}}'
    assert opened.text('40{"please":"break"}').read_text().startswith('44{"message":')
    assert opened.text("40").read_text().startswith("40{")


def test_events_of_a_refused_client_are_not_heard(opened):
    assert opened.text('40{"please":"refuse"}', '42["echo",1]').read_text().startswith("44")
    assert opened.read_close() == 1002


@pytest.mark.parametrize("packet", ['42["echo",1]', '421["echo",1]', "431[]", "41", '42/all,["x"]', "41/all,"])
def test_a_packet_ahead_of_the_connect_closes_the_connection(fast, packet):
    assert refused(fast, packet, joined=False)


@pytest.mark.parametrize("packet", ['42/all,["x"]', "41/all,", '42/nowhere,["x"]'])
def test_a_packet_for_a_namespace_that_was_not_joined_closes_the_connection(fast, packet):
    assert refused(fast, packet)


def test_an_event_may_come_right_behind_the_connect(opened):
    opened.text("40", '42["echo",1]')
    assert opened.read_text().startswith("40{")
    assert [opened.read_text() for _ in range(3)][2] == '42["echo",1]'


def test_a_second_connect_closes_the_connection(fast):
    assert refused(fast, "40")
    client = wire.open_session(fast.port)[0].text("40/all,", "40/all,")
    assert client.read_text().startswith("40/all,")
    assert client.read_close() == 1002


def test_what_the_connect_handler_emits_comes_behind_the_answer_and_ahead_of_the_rest(opened):
    opened.text("40", '42["echo",1]')
    said = [opened.read_text() for _ in range(4)]
    assert said[0].startswith("40{")
    assert said[1:] == ['42["early",{"auth":null}]', '42["early",{"callback":false}]', '42["echo",1]']


def test_others_events_wait_for_the_answer_to_the_connect(fast, opened, client):
    opened.text('40{"please":"wait"}')
    wait_held(fast)
    client.text('42["everybody","meanwhile"]')
    assert client.read_text() == '42["heard","meanwhile"]'
    assert opened.silent()
    release(fast)
    said = [opened.read_text() for _ in range(4)]
    assert said[0].startswith("40{")
    assert sorted(said[1:])[-1] == '42["heard","meanwhile"]'


def test_a_client_may_leave_one_namespace_and_come_back(opened):
    opened.text("40").read_text()
    [opened.read_text() for _ in range(2)]
    opened.text("40/all,").read_text()
    opened.text("41", '42/all,1["x"]')
    assert opened.read_text() == '43/all,1[["caught","x"]]'
    assert opened.text("40").read_text().startswith("40{")


def test_an_event_behind_the_clients_own_goodbye_closes_the_connection(client):
    assert client.text("41", '42["echo",1]').read_close() == 1002


def test_events_on_their_way_while_the_server_says_goodbye_are_dropped(client):
    client.text('42["go away"]', '42["echo",1]', "41", "40", '42["echo",2]')
    assert client.read_text() == "41"
    assert client.read_text().startswith("40{")
    assert [client.read_text() for _ in range(3)][2] == '42["echo",2]'


def test_a_client_that_leaves_during_its_connect_handler_leaves_nothing_behind(fast, wait_for):
    def present():
        return fast.json("/present")

    wait_for(lambda: present() == [0, 0] and fast.metric("socket_connections") == 0)  # those of other tests have gone
    client, told = wire.open_session(fast.port)
    client.text('40{"please":"wait"}')
    wait_held(fast)
    assert present()[0] == 1
    client.cut()
    wait_for(lambda: fast.json(f"/sessions/{told['sid']}") is None)
    release(fast)
    wait_for(lambda: present() == [0, 0])
    assert fast.metric("socket_connections") == 0

"""The fast transport keeps to Socket.IO protocol 5: what it answers, and what closes a connection."""

import json

import pytest

from chassis.tests.server import wire
from chassis.tests.server.conftest import release, wait_held
from chassis.tests.server.wire import BINARY, Polling, frame

PLACEHOLDER = '{"_placeholder":true,"num":%s}'


@pytest.fixture
def opened(fast):
    """A websocket in no namespace."""
    client, _ = wire.open_session(fast.port)
    yield client
    client.end()


@pytest.fixture
def client(fast):
    """A websocket in the main namespace."""
    client = wire.join(fast.port)
    yield client
    client.end()


def binary(*attachments):
    return [frame(BINARY, data) for data in attachments]


def answers_to_callbacks(server):
    """Return what clients answered where the server asked by a callback."""
    return [entry[2] for entry in server.json("/seen") if entry[0] == "callback"]


def refused(fast, *packets, joined=True):
    """Return whether a client that sends this is closed, once, with nothing else to tell."""
    client = wire.join(fast.port) if joined else wire.open_session(fast.port)[0]
    client.send(*(frame(wire.TEXT, packet) if isinstance(packet, str) else frame(BINARY, packet) for packet in packets))
    return client.read_close() == 1002


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


def test_an_event_is_acknowledged_with_its_id(client):
    assert client.text('420["whoami"]').read_text().startswith('430[{"sid":')
    assert client.text('42999999999["message-of-nobody",1]').read_text().startswith('43999999999[{"ok":false')
    client.text('4212["echo",1,"2",{"3":[true]}]')
    assert client.read_text() == '42["echo",1,"2",{"3":[true]}]'
    assert client.read_text() == '4312[1,"2",{"3":[true]}]'


def test_an_acknowledgement_carries_bytes(client):
    packet = "51-7" + '["echo",' + PLACEHOLDER % 0 + "]"
    client.send(frame(wire.TEXT, "4" + packet), *binary(b"\x01\x02"))
    assert client.read_text() == '451-["echo",' + PLACEHOLDER % 0 + "]"
    assert client.read() == (BINARY, b"\x01\x02")
    assert client.read_text() == "461-7[" + PLACEHOLDER % 0 + "]"
    assert client.read() == (BINARY, b"\x01\x02")


def test_an_answer_with_bytes_reaches_the_callback(fast, client, wait_for):
    assert client.text('42["with callback"]').read_text() == '421["question","callback"]'
    client.text('461-1[1,{"_placeholder":true,"num":0}]').send(*binary(b"x"))
    wait_for(lambda: [1, "b'x'"] in answers_to_callbacks(fast))


def test_attachments_go_where_their_placeholders_are(client):
    one, other = PLACEHOLDER % 0, PLACEHOLDER % 1
    client.text('452-["echo",{"a":[' + other + ',"x"],"b":' + one + "}]").send(*binary(b"0", b"1"))
    assert client.read_text() == '452-["echo",{"a":[' + one + ',"x"],"b":' + other + "}]"
    assert [client.read(), client.read()] == [(BINARY, b"1"), (BINARY, b"0")]


def test_binary_events_reach_other_namespaces(opened):
    opened.text("40/all,").read_text()
    opened.text('451-/all,5["x",' + PLACEHOLDER % 0 + "]").send(*binary(b"b"))
    assert opened.read_text() == '461-/all,5[["caught","x",' + PLACEHOLDER % 0 + "]]"
    assert opened.read() == (BINARY, b"b")


def test_what_looks_like_a_placeholder_in_a_text_event_is_only_data(client):
    said = '42["echo",' + PLACEHOLDER % 0 + "]"
    assert client.text(said).read_text() == said


@pytest.mark.parametrize(
    "packets",
    [
        ['451-["echo",' + PLACEHOLDER % 1 + "]", b"x"],
        ['451-["echo",' + PLACEHOLDER % -1 + "]", b"x"],
        ['451-["echo",' + PLACEHOLDER % "true" + "]", b"x"],
        ['451-["echo",' + PLACEHOLDER % '"0"' + "]", b"x"],
        ['451-["echo",{"_placeholder":true}]', b"x"],
        ['450-["echo",' + PLACEHOLDER % 0 + "]"],
        ['452-["echo",' + PLACEHOLDER % 0 + "]", b"x", '42["echo",1]'],
        ['451-["echo",' + PLACEHOLDER % 0 + "]", '451-["echo",' + PLACEHOLDER % 0 + "]"],
        ['45["echo",1]'],
        ['45-["echo",1]'],
        ['45x-["echo",1]'],
        ['45-1-["echo",1]'],
        ['451000-["echo",1]'],
        ['45101-["echo",1]'],
        ['421-["echo",1]'],
        ["401-"],
        ["451-" + "[" * 3000 + "]" * 3000, b"x"],
        ['451-["echo",' + "[" * 3000 + "]" * 3000 + "]", b"x"],
    ],
)
def test_attachments_that_do_not_fit_close_the_connection(fast, packets):
    assert refused(fast, *packets)


def test_one_attachment_too_many_closes_the_connection(client):
    client.text('451-["nothing",' + PLACEHOLDER % 0 + "]").send(*binary(b"1", b"2"))
    assert client.read_close() == 1003


@pytest.mark.parametrize(
    "packet",
    [
        "4",
        "4abc",
        "47",
        "42",
        "42{}",
        '42"echo"',
        "42[]",
        "42[null]",
        "42[true]",
        "42[{}]",
        "42[[]]",
        '42["echo"',
        '42["echo"]x',
        '42["echo",NaN]',
        '42["echo",Infinity]',
        '42["echo",' + "1" * 5_000 + "]",
        "42" + "[" * 100_000,
        '42["connect"]',
        '42["connect_error"]',
        '42["disconnect"]',
        '42["disconnecting"]',
        '42["newListener"]',
        '42["removeListener"]',
        '42abc["echo"]',
        '42-1["echo"]',
        '42\u0661["echo"]',
        '421.5["echo"]',
        '42/all["x"]',
        "43[]",
        "431",
        "431{}",
        '431"x"',
        "44",
        '44{"message":"I refuse"}',
        '40"text"',
        "40[]",
        "401",
        "411",
        "41{}",
        "41[]",
    ],
)
def test_an_invalid_packet_closes_the_connection(fast, packet):
    assert refused(fast, packet)


def test_an_invalid_packet_closes_nothing_else(fast, client):
    pid, logged = fast.workers(), len(fast.log)
    for packet in ("4abc", "42{}", "44", "42[" * 1000):
        assert refused(fast, packet)
    client.text('42["echo","still here"]')
    assert client.read_text() == '42["echo","still here"]'
    assert fast.workers() == pid
    assert fast.log[logged:].count("invalid_packet") == 4
    assert "Traceback" not in fast.log[logged:]


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


def test_an_acknowledgement_that_nobody_waits_for_is_dropped(client):
    client.text("43999[1]", '430["x"]', '42["echo",1]')
    assert client.read_text() == '42["echo",1]'


def test_an_acknowledgement_counts_once_and_only_by_a_number_that_was_given(fast, client):
    assert client.text('42["with callback"]').read_text() == '421["question","callback"]'
    logged = len(fast.log)
    client.text("430[1]", '431["once"]', '431["twice"]', '42["with callback"]')
    assert client.read_text() == '422["question","callback"]'
    client.text('432["more"]', '421["echo",1]').read_text()
    answers = answers_to_callbacks(fast)[-2:]
    assert answers == [["once"], ["more"]]
    assert "Traceback" not in fast.log[logged:]


def test_an_event_without_a_handler_is_told_so(client):
    for name in ('"no such event"', '"*"', "5", '""', '"__class__"'):
        answer = json.loads(client.text(f"421[{name}]").read_text()[3:])
        assert answer[0]["error"]["code"] == "not_found", name


def test_an_event_named_as_a_catch_all_cannot_speak_for_another_client(fast, opened):
    other, _ = wire.open_session(fast.port)
    sid = json.loads(other.text("40/all,").read_text().partition(",")[2])["sid"]
    opened.text("40/all,").read_text()
    answer = json.loads(opened.text(f'42/all,1["*","{sid}","x"]').read_text().partition("1")[2])
    assert answer[0]["error"]["code"] == "not_found"


def test_an_event_that_is_a_number_has_no_handler_in_a_class(opened):
    opened.text("40/classy,").read_text()
    assert '"not_found"' in opened.text("42/classy,1[5]").read_text()
    assert opened.text('42/classy,2["add",1,2]').read_text() == "43/classy,2[3]"


def test_an_answer_that_cannot_be_sent_is_told_as_an_error(client):
    answer = json.loads(client.text('421["unsendable"]').read_text()[3:])
    assert (answer[0]["ok"], answer[0]["error"]["code"]) == (False, "internal_error")


def test_numbers_that_json_does_not_have_are_null(client):
    client.text('421["echo",1e999,{"a":[-1e999]}]')
    assert client.read_text() == '42["echo",null,{"a":[null]}]'
    assert client.read_text() == '431[null,{"a":[null]}]'


def test_deeply_nested_data_is_answered_or_refused_and_never_silent(fast):
    for depth in (100, 300, 500, 700, 900, 960):
        client = wire.join(fast.port).text('421["echo",' + "[" * depth + "]" * depth + "]")
        opcode, payload = client.read()
        if opcode == wire.TEXT:
            assert payload.startswith((b'42["echo",[', b'431[{"ok":false')), payload[:40]
        else:
            assert (opcode, payload[:2]) == (wire.CLOSE, b"\x03\xea")


def test_all_of_this_goes_by_polls_too(fast, wait_for):
    client = Polling(fast.port)
    assert client.post("40/random,\x1e40") == (200, "ok")
    said = client.get()[1].split("\x1e")
    assert said[0] == '44/random,{"message":"Invalid namespace"}'
    assert said[1].startswith('40{"sid":')
    assert client.post('451-9["echo",' + PLACEHOLDER % 0 + "]\x1ebAQI=") == (200, "ok")
    assert client.get()[1].split("\x1e")[-1] == "bAQI="
    assert client.post("40") == (200, "ok")
    wait_for(lambda: client.get()[0] == 400)


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

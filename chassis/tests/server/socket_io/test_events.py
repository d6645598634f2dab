"""Events are answered and acknowledged, and an answer that cannot be sent is an error."""

import json

from chassis.tests.server import wire
from chassis.tests.server.socket_io.packets import PLACEHOLDER, answers_to_callbacks
from chassis.tests.server.wire import Polling


def test_an_event_is_acknowledged_with_its_id(client):
    assert client.text('420["whoami"]').read_text().startswith('430[{"sid":')
    assert client.text('42999999999["message-of-nobody",1]').read_text().startswith('43999999999[{"ok":false')
    client.text('4212["echo",1,"2",{"3":[true]}]')
    assert client.read_text() == '42["echo",1,"2",{"3":[true]}]'
    assert client.read_text() == '4312[1,"2",{"3":[true]}]'


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

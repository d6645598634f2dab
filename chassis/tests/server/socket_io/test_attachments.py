"""Bytes go as attachments of events and acknowledgements, and those that do not fit are refused."""

import pytest

from chassis.tests.server import wire
from chassis.tests.server.socket_io.packets import PLACEHOLDER, answers_to_callbacks, refused
from chassis.tests.server.wire import BINARY, frame


def binary(*attachments):
    return [frame(BINARY, data) for data in attachments]


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

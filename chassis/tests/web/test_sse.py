"""Streams over server-sent events: what a client receives, and that nothing goes on without it."""

import http.client
import json
import socket

import pytest

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.realtime.test_streams import GUNICORN, UNHURRIED


@pytest.fixture
def fake(fake_upstream):
    return fake_upstream()


@pytest.fixture
def start(serve, fake):
    """Return a function that starts the application before the fake API."""

    def run(**env):
        return serve(command=GUNICORN, UPSTREAM_BASE_URL=fake.base_url, **UNHURRIED, **env)

    return run


@pytest.fixture
def server(start):
    return start()


class Reader:
    """A request whose response is read event by event."""

    def __init__(self, server, prompt, path="/answers"):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS)
        self.connection.request("GET", f"{path}?prompt={prompt.replace(' ', '%20')}")
        self.response = self.connection.getresponse()

    def lines(self):
        """Return the lines of the next event or comment."""
        found = []
        while (line := self.response.readline().decode()) not in ("\n", ""):
            found.append(line.rstrip("\n"))
        return found

    def event(self):
        while (found := self.lines()) == [":"]:
            pass
        name, data = found
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    def events(self):
        """Return the joined text, and the last event."""
        text = ""
        while (event := self.event())[0] == "part":
            text += event[1]["text"]
        assert self.response.read() == b""
        return text, event

    def hang_up(self):
        self.response.close()
        self.connection.close()


def test_parts_come_as_events_and_then_the_end(server):
    reader = Reader(server, "two words")
    assert reader.response.status == 200
    headers = reader.response.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert "private, no-store" in headers["Cache-Control"] and headers["X-Accel-Buffering"] == "no"
    assert reader.events() == ("echo: two words", ("end", {"outcome": "done"}))


def test_a_part_is_sent_at_once(server):
    reader = Reader(server, "[pause]")
    assert reader.event() == ("part", {"text": "half "})  # nothing comes after it
    reader.hang_up()


@pytest.mark.parametrize(
    ("prompt", "text", "code"),
    [
        ("[error-in-the-middle]", "half ", "upstream_rate_limited"),
        ("[break-off]", "half ", "upstream_unavailable"),
        ("refused", "", "closed"),
        ("broken", "", "internal_error"),
    ],
)
def test_a_failure_is_an_event_in_the_stream(server, prompt, text, code):
    got, (name, data) = Reader(server, prompt).events()
    assert (got, name, data["outcome"], data["error"]["code"]) == (text, "error", "failed", code)


@pytest.mark.parametrize("prompt", ["[pause]", "[forever]", "[quiet]"])
def test_the_call_ends_with_its_client(server, fake, wait_for, prompt):
    """Nothing else would end it within the limit of the tests: heartbeats and timeouts are longer."""
    reader = Reader(server, prompt)
    assert prompt == "[quiet]" or reader.event()[0] == "part"
    wait_for(lambda: fake.stats()["in_flight"] == 1)
    reader.hang_up()
    wait_for(lambda: fake.stats()["in_flight"] == 0)
    wait_for(lambda: server.metric("app_streams") == 0)


def test_the_call_ends_with_a_client_that_does_not_read(start, wait_for):
    server = start(HTTP_ANSWER_SECONDS="1")
    client = socket.create_connection(("127.0.0.1", server.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000)
    client.sendall(b"GET /answers?prompt=letters%2010000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: server.metric("app_streams") == 1)
    wait_for(lambda: server.metric("app_streams") == 0)
    client.close()


def test_a_quiet_stream_has_heartbeats(start, fake):
    reader = Reader(start(STREAM_HEARTBEAT_SECONDS="0.3"), "[pause]")
    assert reader.lines() == [":"]  # at once, with the head
    assert reader.event()[0] == "part"
    assert [reader.lines() for _ in range(3)] == 3 * [[":"]]
    reader.hang_up()


def test_above_the_limit_the_error_is_an_event_and_no_bare_status(start, wait_for):
    server = start(MAX_CONCURRENT_STREAMS="1")
    first = Reader(server, "[pause]")
    assert first.event()[0] == "part"
    second = Reader(server, "hello")
    assert second.response.status == 200
    name, data = second.event()
    assert (name, data["error"]["code"]) == ("error", "too_many_streams")
    first.hang_up()
    wait_for(lambda: server.metric("app_streams") == 0)
    assert Reader(server, "hello").events()[0] == "echo: hello"


def test_a_source_that_is_never_called_is_told(start, wait_for):
    server = start(MAX_CONCURRENT_STREAMS="1")
    first = Reader(server, "[pause]")
    assert first.event()[0] == "part"
    Reader(server, "hello").events()
    assert server.get("/dropped")[0] == 200
    assert json.loads(server.get("/unread")[1]) == ["failed too_many_streams", "stopped"]
    first.hang_up()


def test_another_protocol_writes_its_own_events(server):
    reader = Reader(server, "hello", "/raw")
    assert reader.response.read().decode().endswith("data:  hello\n\ndata: done\n\n")


def test_a_stream_ends_when_the_service_stops(server, fake):
    reader = Reader(server, "[pause]")
    assert reader.event()[0] == "part"
    server.stop()
    name, data = reader.event()
    assert (name, data["error"]["code"]) == ("error", "restarting")
    assert fake.stats()["in_flight"] == 0

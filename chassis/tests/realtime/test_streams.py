"""Streams to rooms and sockets: in order, joined, resumed, stopped, and told how they ended."""

import json

import pytest

from chassis.tests.conftest import TRANSPORTS, gunicorn
from chassis.tests.realtime.conftest import HERE

GUNICORN = gunicorn(HERE, "stream_app:app")
UNHURRIED = dict.fromkeys(  # no call ends by itself within a test
    ["UPSTREAM_FIRST_PART_TIMEOUT_SECONDS", "UPSTREAM_IDLE_TIMEOUT_SECONDS", "UPSTREAM_STREAM_SECONDS"], "3600"
)


@pytest.fixture
def fake(fake_upstream):
    return fake_upstream()


@pytest.fixture
def start(serve, fake):
    """Return a function that starts the application before the fake API."""

    def run(**env):
        settings = {"UPSTREAM_BASE_URL": fake.base_url, "SOCKET_TRANSPORT": TRANSPORTS[0]}
        return serve(command=GUNICORN, **UNHURRIED, **settings, **env)

    return run


@pytest.fixture
def server(start):
    return start()


def of(client, name, event="stream:part"):
    return [data for kind, data in list(client.received) if kind == event and data["id"] == name]


def text(client, name):
    return "".join(data["text"] for data in of(client, name))


def ended(client, name):
    """Return how a stream ended, once it has."""
    found = of(client, name, "stream:end")
    assert len(found) <= 1
    return found and {key: value for key, value in found[0].items() if key in ("outcome", "error")}


def test_a_room_gets_the_answer_in_order_and_its_end(server, connect, wait_for):
    one, two = connect(server), connect(server)
    for client in (one, two):
        client.join("talk")
    name = one.call("ask", {"prompt": "several words of an answer", "room": "talk"})["id"]
    for client in (one, two):
        wait_for(lambda: ended(client, name))  # noqa: B023
        assert ended(client, name) == {"outcome": "done"}
        assert text(client, name) == "echo: several words of an answer"
        assert of(client, name, "stream:start")[0]["about"] == {"prompt": "several words of an answer"}
        sizes = [data["at"] for data in of(client, name)]
        assert sizes == sorted(sizes) and sizes[0] == 0
        numbers = [data["stream"]["seq"] for _, data in client.received]
        assert numbers == list(range(1, len(numbers) + 1))


def test_what_comes_quickly_is_joined(server, connect, wait_for):
    one = connect(server)
    name = one.call("ask", {"prompt": "letters 50000"})["id"]
    wait_for(lambda: ended(one, name))
    assert text(one, name) == "x" * 50_000
    assert len(of(one, name)) < 1_000


def test_a_viewer_that_comes_back_misses_nothing(server, connect, wait_for):
    one = connect(server)
    one.join("resumed")
    name = one.call("ask", {"prompt": "[forever]", "room": "resumed"})["id"]
    wait_for(lambda: text(one, name))
    one.cut()
    again = connect(server)
    assert again.join("resumed", after=one.position)["stream"]["recovered"] is True
    wait_for(lambda: len(text(again, name)) > 20)
    assert again.call("stream:stop", {"id": name, "room": "resumed"}) == {"ok": True}
    wait_for(lambda: ended(again, name))
    parts = of(one, name) + of(again, name)
    assert [data["at"] for data in parts] == [len("".join(one["text"] for one in parts[:n])) for n in range(len(parts))]


def test_a_reloaded_page_gets_the_text_so_far_and_goes_on(server, connect, wait_for):
    one = connect(server)
    one.join("reloaded")
    name = one.call("ask", {"prompt": "[forever]", "room": "reloaded"})["id"]
    wait_for(lambda: len(text(one, name)) > 20)
    again = connect(server)
    (running,) = again.join("reloaded")["stream"]["streams"]
    assert (running["id"], running["about"]) == (name, {"prompt": "[forever]"})
    wait_for(lambda: of(again, name))
    assert of(again, name)[0]["at"] == len(running["text"])
    again.call("stream:stop", {"id": name, "room": "reloaded"})
    wait_for(lambda: ended(again, name))
    assert "streams" not in connect(server).join("reloaded")["stream"]


@pytest.mark.parametrize("prompt", ["[forever]", "[pause]", "[slow]", "deaf"])
def test_a_viewer_stops_a_stream_and_the_call_ends(server, fake, connect, wait_for, prompt):
    one = connect(server)
    name = one.call("ask", {"prompt": prompt})["id"]
    wait_for(lambda: prompt == "deaf" or fake.stats()["in_flight"] == 1)
    assert one.call("stream:stop", {"id": name}) == {"ok": True}
    wait_for(lambda: ended(one, name))
    assert ended(one, name) == {"outcome": "stopped"}
    wait_for(lambda: fake.stats()["in_flight"] == 0)
    wait_for(lambda: server.metric("app_streams") == 0)


def test_only_those_in_the_room_stop_its_stream(server, connect, wait_for):
    one, stranger = connect(server), connect(server)
    one.join("private")
    name = one.call("ask", {"prompt": "[forever]", "room": "private"})["id"]
    for message in ({"id": name, "room": "private"}, {"id": name, "room": one.sid}):
        assert stranger.call("stream:stop", message)["error"]["code"] == "not_found"
    assert stranger.call("stream:stop", {"id": name})["error"]["code"] == "not_found"
    before = len(text(one, name))
    wait_for(lambda: len(text(one, name)) > before)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("[error-in-the-middle]", "upstream_rate_limited"),
        ("[break-off]", "upstream_unavailable"),
        ("[length]", "upstream_cut"),
        ("refused", "closed"),
        ("broken", "internal_error"),
    ],
)
def test_a_failed_stream_says_why(server, connect, wait_for, prompt, code):
    one = connect(server)
    name = one.call("ask", {"prompt": prompt})["id"]
    end = wait_for(lambda: ended(one, name))
    assert (end["outcome"], end["error"]["code"]) == ("failed", code)
    assert text(one, name) == ("half " if code.startswith("upstream") else "")
    assert "Zero" not in str(end)


def test_a_stream_to_a_socket_dies_with_it(server, fake, connect, wait_for):
    one = connect(server)
    one.call("ask", {"prompt": "[pause]"})
    wait_for(lambda: fake.stats()["in_flight"] == 1)
    one.cut()
    wait_for(lambda: fake.stats()["in_flight"] == 0)
    wait_for(lambda: server.metric("app_streams") == 0)


def test_a_stream_that_nobody_watches_ends(start, fake, connect, wait_for):
    server = start(STREAM_UNWATCHED_SECONDS="0.1")
    one = connect(server)
    one.join("left")
    one.call("ask", {"prompt": "[pause]", "room": "left"})
    wait_for(lambda: fake.stats()["in_flight"] == 1)
    one.cut()
    wait_for(lambda: fake.stats()["in_flight"] == 0)


def test_above_the_limit_a_stream_fails_at_once_and_later_ones_have_room(start, connect, wait_for):
    server = start(MAX_CONCURRENT_STREAMS="2")
    one = connect(server)
    held = [one.call("ask", {"prompt": "[pause]"})["id"] for _ in range(2)]
    third = one.call("ask", {"prompt": "hello"})["id"]
    wait_for(lambda: ended(one, third))
    assert ended(one, third)["error"]["code"] == "too_many_streams"
    assert json.loads(server.get("/unread")[1]) == ["failed too_many_streams"]
    one.call("stream:stop", {"id": held[0]})
    wait_for(lambda: ended(one, held[0]))
    wait_for(lambda: server.metric("app_streams") == 1)
    fourth = one.call("ask", {"prompt": "hello"})["id"]
    wait_for(lambda: ended(one, fourth))
    assert (ended(one, fourth), text(one, fourth)) == ({"outcome": "done"}, "echo: hello")


def test_a_stream_ends_with_the_service(server, fake, connect, wait_for):
    one = connect(server)
    name = one.call("ask", {"prompt": "[pause]"})["id"]
    wait_for(lambda: text(one, name))
    server.stop()
    assert fake.stats()["in_flight"] == 0

"""Two processes with Redis between them: what one publishes, the other numbers for its own clients."""

import os

import pytest

from chassis.tests.conftest import TRANSPORTS, free_port, serving
from chassis.tests.realtime.conftest import GUNICORN
from chassis.tests.services import redis_server


@pytest.fixture(scope="module")
def both(tool, tmp_path_factory):
    """Two servers on one database, for all tests of this module."""
    folder = tmp_path_factory.mktemp("two")
    with redis_server(tool("redis-server"), folder) as url, serving(folder) as start:
        env = {"REDIS_URL": url, "PRESENCE_LEASE_SECONDS": "2", "SOCKET_TRANSPORT": TRANSPORTS[0]}
        yield [start(command=GUNICORN, PORT=str(free_port()), **env) for _ in range(2)]


@pytest.fixture
def two(both):
    """The two servers; one that a test kills is started again."""
    yield both
    for server in both:
        if server.process.poll() is not None:
            server.start()
            server.wait_ready()


def test_each_process_numbers_what_it_delivers(two, connect, wait_for):
    here, there = connect(two[0]), connect(two[1])
    streams = [client.join("a")["stream"] for client in (here, there)]
    assert streams[0]["epoch"] != streams[1]["epoch"]
    two[0].post("/publish/a/2", {"first": 0})
    wait_for(lambda: there.news() == [0, 1])
    two[1].post("/publish/a/2", {"first": 2})
    wait_for(lambda: here.news() == there.news() == [0, 1, 2, 3])
    for client, stream in zip((here, there), streams, strict=True):
        assert [data["stream"]["seq"] for _, data in client.received] == [1, 2, 3, 4]
        assert {data["stream"]["epoch"] for _, data in client.received} == {stream["epoch"]}


def test_what_was_missed_comes_from_the_same_process_and_another_one_says_fetch(two, connect, wait_for):
    one = connect(two[0])
    one.join("missed")
    two[1].post("/publish/missed/2", {"first": 0})
    wait_for(lambda: one.news() == [0, 1])
    one.cut()
    two[1].post("/publish/missed/2", {"first": 2})
    again, elsewhere = connect(two[0]), connect(two[1])
    wait_for(lambda: again.join("missed", after=one.position)["stream"]["seq"] == 4)
    assert list(dict.fromkeys(again.news())) == [2, 3]
    assert elsewhere.join("missed", after=one.position)["stream"]["recovered"] is False
    assert elsewhere.news() == []


def test_who_is_in_a_room_is_known_in_both_and_a_killed_process_is_forgotten(two, connect, wait_for):
    ann, bob = connect(two[0], transports=["websocket"]), connect(two[1], transports=["websocket"])
    ann.call("presence:enter", {"room": "tea", "member": "ann"})
    assert bob.call("presence:enter", {"room": "tea", "member": "bob"})["members"] == ["ann", "bob"]
    updates = lambda kind: [n for e, data in ann.received if e == "presence:update" for n in data[kind]]  # noqa: E731
    wait_for(lambda: "bob" in updates("joined"))
    for pid in [two[1].pid, *two[1].workers()]:
        os.kill(pid, 9)
    wait_for(lambda: updates("left") == ["bob"])
    assert ann.call("presence:list", {"name": "tea"}) == ["ann"]

"""Two machines with a Redis between them that dies, hangs, or is not there: what is published arrives all the same."""

import json
import os
import signal

import pytest
import redis

from chassis.tests.conftest import TRANSPORTS, free_port, gunicorn, serving
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS, PAUSE_SECONDS, wait_until
from chassis.tests.realtime.conftest import GUNICORN, HERE
from chassis.tests.services import Redis


@pytest.fixture(scope="module")
def shared_redis(tool, tmp_path_factory):
    """A Redis that runs between the tests of this module."""
    one = Redis(tool("redis-server"), tmp_path_factory.mktemp("redis"))
    one.start()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def pair(shared_redis, tmp_path_factory):
    """Two servers behind the Redis."""
    with serving(tmp_path_factory.mktemp("pair")) as start:
        yield meet([start(command=GUNICORN, **behind(shared_redis)) for _ in range(2)])


@pytest.fixture
def two(live, own_redis):
    """Return a function that starts two servers with a Redis of their own, which the test starts."""
    return lambda: [live(**behind(own_redis)) for _ in range(2)]


def behind(redis):
    return {"REDIS_URL": redis.url, "SOCKET_TRANSPORT": TRANSPORTS[0], "PORT": str(free_port())}


def meet(servers):
    """Wait until each server hears Redis."""
    for server in servers:
        wait_until(lambda server=server: server.metric("redis_round_trip_seconds_count") > 0)
    return servers


def publish(server, room, count, first=0):
    assert server.post(f"/publish/{room}/{count}", {"first": first})[0] == 200


def followers(connect, servers, room):
    clients = [connect(server, transports=["websocket"]) for server in servers]
    for client in clients:
        client.join(room)
    return clients


def detail(server):
    status, text = server.get("/readyz")
    assert status == 200
    return json.loads(text)["checks"].get("redis", {}).get("detail", "")


def outages(server):
    """Return how often the log tells that Redis went, and that it came back."""
    return server.log.count('"redis_down"'), server.log.count('"redis_up"')


def of(client, *, first, end):
    """Return a client's events of one publisher, which numbers from `first`."""
    return [n for n in client.news() if first <= n < end]


def test_what_is_published_while_redis_is_away_arrives_in_order_and_nobody_connects_again(pair, shared_redis, connect):
    clients = followers(connect, pair, "away")
    for server in pair:
        wait_until(lambda server=server: detail(server) == "")  # an outage of the test before is over
    sids, told = [client.sid for client in clients], [outages(server) for server in pair]
    publish(pair[0], "away", 1)
    wait_until(lambda: [client.news() for client in clients] == [[0], [0]])
    shared_redis.kill()
    for server in pair:
        wait_until(lambda server=server: "events wait" in detail(server))
        assert server.metric("app_redis_down") == 1
    publish(pair[0], "away", 30, first=1)
    publish(pair[1], "away", 30, first=1001)
    wait_until(lambda: clients[0].news() == list(range(31)))  # local delivery goes on
    wait_until(lambda: clients[1].news() == [0, *range(1001, 1031)])
    shared_redis.start()
    for client in clients:
        wait_until(lambda client=client: len(client.news()) == 61)
        assert of(client, first=0, end=1000) == list(range(31))
        assert of(client, first=1001, end=2000) == list(range(1001, 1031))
        assert [data["stream"]["seq"] for _, data in client.received] == list(range(1, 62))
    publish(pair[0], "away", 1, first=5000)
    wait_until(lambda: clients[1].news()[-1] == 5000)
    assert [client.sid for client in clients] == sids
    for server, before in zip(pair, told, strict=True):
        wait_until(lambda server=server: detail(server) == "" and server.metric("app_redis_down") == 0)
        assert server.metric("redis_messages_lost_total") == 0
        assert outages(server) == tuple(count + 1 for count in before)


def test_a_redis_that_hangs_holds_up_nobody_and_loses_nothing(pair, shared_redis, connect):
    clients = followers(connect, pair, "hangs")
    shared_redis.process.send_signal(signal.SIGSTOP)
    publish(pair[0], "hangs", 20)
    wait_until(lambda: clients[0].news() == list(range(20)))
    wait_until(lambda: "events wait" in detail(pair[0]) and "events wait" in detail(pair[1]))
    assert clients[0].call("order", {"count": 1}) == {"count": 2}
    shared_redis.process.send_signal(signal.SIGCONT)
    wait_until(lambda: clients[1].news() == list(range(20)))
    wait_until(lambda: detail(pair[0]) == detail(pair[1]) == "")


def test_a_redis_that_was_never_there_is_told_and_what_was_published_arrives_when_it_comes(two, own_redis, connect):
    servers = two()
    clients = followers(connect, servers, "never")
    for server in servers:
        wait_until(lambda server=server: "events wait" in detail(server))
        assert "redis_down" in server.log
    publish(servers[0], "never", 3)
    own_redis.start()
    wait_until(lambda: clients[1].news() == [0, 1, 2])
    assert clients[0].news() == [0, 1, 2]


@pytest.mark.long
def test_clients_fetch_when_a_node_ends_with_what_it_had_not_sent(two, own_redis, connect):
    own_redis.start()
    pair = meet(two())
    clients = followers(connect, pair, "ends")
    publish(pair[0], "ends", 1)
    wait_until(lambda: clients[1].news() == [0])
    before = clients[1].position
    own_redis.kill()
    wait_until(lambda: "events wait" in detail(pair[1]))
    publish(pair[0], "ends", 1, first=1)
    for pid in [*pair[0].workers(), pair[0].pid]:
        os.kill(pid, signal.SIGKILL)
    own_redis.start()
    wait_until(lambda: "room:missed" in [event for event, _ in clients[1].received])
    assert clients[1].position["epoch"] != before["epoch"]
    assert clients[1].position["seq"] > before["seq"] + 1
    assert '"node_gone"' in pair[1].log
    again = connect(pair[1])
    assert again.join("ends", after=before)["stream"]["recovered"] is False
    publish(pair[1], "ends", 1, first=9)
    wait_until(lambda: clients[1].news() == [0, 9] and again.news() == [9])


class Listener:
    """Reads a channel of Redis."""

    def __init__(self, url, channel):
        self._channel = redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
        self._channel.subscribe(channel)
        self._channel.get_message(timeout=LIMIT_SECONDS)  # the confirmation

    def until(self, event):
        """Return the names of the events up to this one."""
        found = []

        def heard():
            message = self._channel.get_message(timeout=PAUSE_SECONDS)
            if message:
                found.append(json.loads(message["data"]).get("event"))
            return event in found

        wait_until(heard)
        return [name for name in found if name]


def test_an_event_for_ones_own_client_does_not_go_through_redis(pair, shared_redis, connect):
    one = connect(pair[0])
    listener = Listener(shared_redis.url, SLUG)
    one.emit("echo", "mine")
    wait_until(lambda: ("echo", "mine") in one.received)
    publish(pair[0], "anything", 1)
    assert listener.until("news") == ["news"]


def test_two_services_with_one_redis_do_not_hear_each_other(pair, shared_redis, serve, connect):
    other = serve(
        command=gunicorn(HERE, "other_service:app"), REDIS_URL=shared_redis.url, SOCKET_TRANSPORT=TRANSPORTS[0]
    )
    meet([other])
    here, there = followers(connect, [pair[1], other], "same")
    publish(other, "same", 1)
    publish(pair[0], "same", 1, first=1)
    wait_until(lambda: here.news() == [1] and there.news() == [0])
    publish(other, "same", 1, first=2)
    wait_until(lambda: there.news() == [0, 2])
    assert here.news() == [1]
    channels = {name.decode() for name in redis.Redis.from_url(shared_redis.url).pubsub_channels()}
    assert channels == {SLUG, "another-service"}

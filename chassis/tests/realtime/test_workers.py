"""Two workers without Redis are one service: events, rooms and missed events do not depend on the worker."""

import os
import signal

import pytest

from chassis.tests.conftest import ASYNC_MODE, TRANSPORTS, serving
from chassis.tests.patience import wait_until
from chassis.tests.realtime.conftest import GUNICORN, Client

WEBSOCKET = {"SOCKET_TRANSPORTS": "websocket"} if ASYNC_MODE == "threading" else {}
SETTINGS = {"GUNICORN_WORKERS": "2", "PRESENCE_LEASE_SECONDS": "2", **WEBSOCKET}


@pytest.fixture(scope="module", params=TRANSPORTS)
def pair(request, tmp_path_factory):
    """The live application with two workers."""
    with serving(tmp_path_factory.mktemp("pair")) as start:
        yield start(command=GUNICORN, SOCKET_TRANSPORT=request.param, **SETTINGS)


@pytest.fixture
def own_pair(serve):
    """Two workers for one test."""
    return serve(command=GUNICORN, SOCKET_TRANSPORT=TRANSPORTS[0], **SETTINGS)


@pytest.fixture
def clients():
    """A list of clients that are disconnected at the end."""
    made = []
    yield made
    for client in made:
        client.eio.disconnect(abort=True)


def worker_of(client):
    """Return the number of the worker that a client is, or was, connected to."""
    client.worker = int(client.eio.sid.partition(".")[0]) if client.eio.sid else client.worker
    return client.worker


def connect(clients, server, other_than=0, **options):
    """Connect a client, to another worker than the given one."""

    def found():
        clients.append(Client(server, **({"transports": ["websocket"]} | options)))
        return clients[-1] if worker_of(clients[-1]) != other_than else None

    return wait_until(found, "the other worker takes no client")


def one_on_each(clients, server, **options):
    one = connect(clients, server, **options)
    return one, connect(clients, server, worker_of(one), **options)


def publish(server, room, count, first=0):
    assert server.post(f"/publish/{room}/{count}", {"first": first})[0] == 200


def test_what_is_published_by_any_worker_reaches_the_clients_of_both_in_one_order(pair, clients):
    one, two = one_on_each(clients, pair)
    positions = [client.join("order")["stream"] for client in (one, two)]
    assert positions[0]["epoch"] == positions[1]["epoch"]
    for number in range(20):
        publish(pair, "order", 1, first=number)
    wait_until(lambda: one.news() == two.news() == list(range(20)))
    numbers = [[data["stream"]["seq"] for _, data in client.received] for client in (one, two)]
    assert numbers[0] == numbers[1] == sorted(set(numbers[0]))
    for client, position in zip((one, two), positions, strict=True):
        streams = [data["stream"] for _, data in client.received]
        assert streams[0]["after"] <= position["seq"], "nothing is missing after the join"
        assert [stream["after"] for stream in streams[1:]] == [stream["seq"] for stream in streams[:-1]]


def test_a_client_that_comes_back_on_the_other_worker_gets_what_it_missed(pair, clients):
    one = connect(clients, pair)
    one.join("missed")
    publish(pair, "missed", 2)
    wait_until(lambda: one.news() == [0, 1])
    one.cut()
    publish(pair, "missed", 3, first=2)
    again = connect(clients, pair, other_than=worker_of(one))
    assert again.join("missed", after=one.position)["stream"]["recovered"] is True
    publish(pair, "missed", 1, first=5)
    wait_until(lambda: again.news() == [2, 3, 4, 5])


def test_threads_of_both_workers_publish_and_nothing_is_missed_or_seen_twice(pair, clients):
    one, two = one_on_each(clients, pair)
    for client in (one, two):
        client.join("stream")
    sent = sum(pair.post("/stream/stream/4/0.5")[1])
    wait_until(lambda: len(one.received) == len(two.received) == sent)
    assert one.received == two.received


def test_a_reload_keeps_the_numbers_and_the_events(own_pair, clients):
    one = connect(clients, own_pair)
    one.join("reload")
    publish(own_pair, "reload", 2)
    wait_until(lambda: one.news() == [0, 1])
    before = set(own_pair.workers())
    one.cut()
    publish(own_pair, "reload", 2, first=2)
    own_pair.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(own_pair.workers()) == 2 and not before & set(own_pair.workers()))
    again = connect(clients, own_pair)
    assert again.join("reload", after=one.position)["stream"]["recovered"] is True
    wait_until(lambda: again.news() == [2, 3])


def test_who_is_in_a_room_is_told_once_and_a_killed_worker_is_forgotten(own_pair, clients):
    ann, bob = one_on_each(clients, own_pair)
    ann.call("presence:enter", {"room": "tea", "member": "ann"})
    assert bob.call("presence:enter", {"room": "tea", "member": "bob"})["members"] == ["ann", "bob"]

    def told(kind):
        return [name for event, data in ann.received if event == "presence:update" for name in data[kind]]

    wait_until(lambda: sorted(told("joined")) == ["ann", "bob"])
    os.kill(pid_of(own_pair, worker_of(bob)), signal.SIGKILL)
    wait_until(lambda: told("left") == ["bob"])
    assert ann.call("presence:list", {"name": "tea"}) == ["ann"]
    assert sorted(told("joined")) == ["ann", "bob"]


def pid_of(server, number):
    """Return the pid of a worker by its number: gunicorn numbers its workers in the order of their starts."""
    return sorted(server.workers())[number - 1]

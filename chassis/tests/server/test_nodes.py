"""Two nodes and a Redis that dies, hangs and forgets: each message arrives once, in the order of its node."""

import signal

import pytest

from chassis.server.nodes import journal, line
from chassis.server.nodes.journal import Journal
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.server.started_nodes import started


@pytest.fixture
def node(own_redis):
    """Return a function that starts a node: `node("a")` has the messages of the others in `got`."""
    return lambda name, channel="service": started(own_redis.url, name, channel)


def send(node, *numbers):
    for number in numbers:
        node.append({"method": "emit", "n": number})


def numbers(node):
    return [message["n"] for message in node.got]


def all_up(*nodes):
    wait_until(lambda: all(node.watch.is_up for node in nodes))


def all_down(*nodes):
    wait_until(lambda: not any(node.watch.is_up for node in nodes))


def test_messages_of_an_outage_arrive_in_order_and_once(own_redis, node):
    own_redis.start()
    a, b = node("a"), node("b")
    all_up(a, b)
    send(a, *range(10))
    wait_until(lambda: numbers(b) == list(range(10)))
    own_redis.kill()
    all_down(a, b)
    send(a, *range(10, 1000))
    send(b, *range(5))
    own_redis.start()
    wait_until(lambda: len(b.got) >= 1000 and len(a.got) >= 5)
    send(a, 1000)
    wait_until(lambda: numbers(b)[-1] == 1000)
    assert numbers(b) == list(range(1001))
    assert numbers(a) == list(range(5))
    assert a.watch.lost_ones == b.watch.lost_ones == 0


def test_a_redis_that_hangs_holds_up_no_one_and_loses_nothing(own_redis, node):
    own_redis.start()
    a, b = node("a"), node("b")
    all_up(a, b)
    send(a, 0)
    wait_until(lambda: numbers(b) == [0])
    own_redis.process.send_signal(signal.SIGSTOP)
    send(a, *range(1, 500))
    all_down(a, b)
    send(a, *range(500, 1000))
    own_redis.process.send_signal(signal.SIGCONT)
    wait_until(lambda: len(b.got) >= 1000)
    assert numbers(b) == list(range(1000))
    all_up(a, b)


def test_a_node_that_was_there_before_redis_gets_what_was_sent_since_its_start(own_redis, node, monkeypatch):
    monkeypatch.setattr(line, "TRAVEL_SECONDS", LIMIT_SECONDS)
    a, b = node("a"), node("b")
    send(a, 1, 2, 3)
    all_down(a, b)
    own_redis.start()
    wait_until(lambda: numbers(b) == [1, 2, 3])


def test_a_node_that_starts_later_gets_nothing_old(own_redis, node, monkeypatch):
    monkeypatch.setattr(line, "TRAVEL_SECONDS", 0)
    own_redis.start()
    a = node("a")
    all_up(a)
    send(a, 1, 2)
    wait_until(lambda: not a.waits)
    b = node("b")
    all_up(b)
    send(a, 3)
    wait_until(lambda: 3 in numbers(b))
    assert numbers(b) == [3]


def test_what_is_no_longer_kept_is_counted_as_lost(own_redis, node, monkeypatch):
    monkeypatch.setattr(journal, "MAX_BYTES", 5_000)
    own_redis.start()
    a, b = node("a"), node("b")
    all_up(a, b)
    send(a, 0)
    wait_until(lambda: numbers(b) == [0])
    own_redis.kill()
    all_down(a, b)
    send(a, *range(1, 500))
    own_redis.start()
    wait_until(lambda: numbers(b)[-1] == 499)
    assert numbers(b) == [0, *range(500 - len(b.got) + 1, 500)]
    assert b.watch.lost_ones == 500 - len(b.got)


def test_messages_of_a_process_that_numbers_nothing_are_delivered(own_redis, node):
    own_redis.start()
    a = node("a")
    all_up(a)
    sender = line.redis_client.client(own_redis.url, seconds=10)
    sender.publish("service", "no JSON")
    sender.publish("service", '{"method": "emit", "n": 1, "host_id": "old"}')
    wait_until(lambda: numbers(a) == [1])


def test_two_channels_do_not_hear_each_other(own_redis, node):
    own_redis.start()
    a, b, other = node("a"), node("b"), node("c", "another")
    all_up(a, b, other)
    send(other, 1)
    send(a, 2)
    wait_until(lambda: numbers(b) == [2] and not other.waits)
    assert other.got == []


def test_a_journal_gives_each_message_once_and_again_on_request():
    kept = Journal("me")
    for n in range(3):
        kept.append({"n": n})
    assert [one.place for one in kept.take()] == [1, 2, 3]
    assert kept.take() == []
    kept.again_after(1)
    assert [one.place for one in kept.take()] == [2, 3]
    assert not kept.waits
    assert (kept.before(3600), kept.before(0)) == (0, 3)

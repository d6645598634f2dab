"""Two machines with a Redis between them, of which one ends: the other's clients fetch if something may be missing."""

import json

import pytest
import redis

from chassis.tests.named import SLUG
from chassis.tests.patience import PAUSE_SECONDS, wait_until
from chassis.tests.realtime.test_outages import behind, followers, meet, publish

JSON = {"Content-Type": "application/json"}
pytestmark = pytest.mark.long  # a node is given ten seconds to be heard of


@pytest.fixture
def pair(live, own_redis):
    """Two servers with a Redis of their own."""
    own_redis.start()
    return meet([live(**behind(own_redis)) for _ in range(2)])


def test_clients_fetch_when_a_node_is_killed_before_its_event_left_it(pair, connect):
    clients = followers(connect, pair, "killed")
    publish(pair[0], "killed", 1, first=7)
    wait_until(lambda: clients[1].news() == [7])
    before = clients[1].position
    assert pair[0].request("POST", "/publish-and-die/killed", b"{}", JSON) == (0, "")
    wait_until(lambda: "room:missed" in [event for event, _ in clients[1].received])
    assert clients[1].position["epoch"] != before["epoch"]
    assert pair[1].log.count('"node_gone"') == 1
    again = connect(pair[1])
    assert again.join("killed", after=before)["stream"]["recovered"] is False


def test_a_node_that_ends_by_itself_says_farewell(pair, own_redis, connect):
    channel = redis.Redis.from_url(own_redis.url).pubsub(ignore_subscribe_messages=True)
    channel.subscribe(SLUG)
    clients = followers(connect, pair, "ends")
    publish(pair[0], "ends", 3)
    pair[0].stop()
    sent = []

    def is_over():
        if message := channel.get_message(timeout=PAUSE_SECONDS):
            sent.append(json.loads(message["data"]))
        return sent and sent[-1].get("leaves")

    wait_until(is_over)
    assert max(message["place"] for message in sent if message.get("event") == "news") == sent[-1]["place"]
    wait_until(lambda: clients[1].news() == [0, 1, 2])

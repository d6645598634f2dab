"""Two nodes in real use while something breaks: every client comes back, and nothing is lost, doubled or stuck."""

import json

import pytest

from chassis.tests.deploy.ours import needs
from chassis.tests.deploy.several import NODES, frozen
from chassis.tests.e2e.faults import refuse
from chassis.tests.nodes import tables
from chassis.tests.nodes.far_redis import FarRedis
from chassis.tests.nodes.two_nodes import kill
from chassis.tests.patience import let_pass, wait_until
from chassis.tests.servers import same_in_every_mode

pytestmark = [pytest.mark.long, needs(NODES), same_in_every_mode]
HOUR = 3600


def waits_for_redis(node):
    return "events wait" in json.loads(node.get("/readyz")[1])["checks"].get("redis", {}).get("detail", "")


def test_a_killed_node(two):
    with two.busy():
        kill(two.nodes[0])
        two.make_due()
        wait_until(two.everybody_is_back)
        two.start(two.nodes[0])


def test_a_node_that_stands_still_for_half_a_minute(two):
    with two.busy(), frozen(two.nodes[0]):
        two.make_due()
        let_pass(30)


def test_a_killed_redis(two):
    with two.busy():
        two.redis.kill()
        for node in two.nodes:
            wait_until(lambda node=node: waits_for_redis(node))
        two.make_due()
        two.wait_for_news(5)
        two.redis.start()


def test_a_cut_link_between_one_node_and_redis(two):
    if not isinstance(two.redis, FarRedis):
        refuse("network namespaces are not permitted")
    with two.busy():
        with two.redis.cut(0):
            wait_until(lambda: waits_for_redis(two.nodes[0]))
            two.make_due()
            two.wait_for_news(5)
            assert not waits_for_redis(two.nodes[1])
        wait_until(lambda: not waits_for_redis(two.nodes[0]))


def test_a_restart_of_postgresql(two):
    with two.busy():
        two.make_due()
        two.postgres.stop()
        for publisher in two.publishers:
            refused = publisher.repeated
            wait_until(lambda publisher=publisher, refused=refused: publisher.repeated > refused)
        two.postgres.start()


def test_a_rolling_restart(two):
    with two.busy():
        two.make_due()
        for node in two.nodes:
            two.restart(node)


def test_a_clock_that_is_an_hour_ahead(two):
    wrong = two.nodes[0]
    two.restart(wrong, CLOCK_AHEAD_SECONDS=str(HOUR))
    with two.busy():
        two.make_due(seconds=HOUR / 2)
        two.wait_for_news(5)
        assert two.ask(tables.DUE) == "1", "the schedule ran half an hour early"
        two.make_due()
        two.restart(wrong, CLOCK_AHEAD_SECONDS="0")  # its jobs go on in the other node

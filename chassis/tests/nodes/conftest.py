"""The two nodes, started once for all faults."""

import contextlib

import pytest

from chassis.tests import postgres
from chassis.tests.conftest import serving
from chassis.tests.deploy.several import Several
from chassis.tests.deploy.site import nginx
from chassis.tests.nodes.far_redis import FarRedis, permitted
from chassis.tests.nodes.two_nodes import TwoNodes
from chassis.tests.services import Redis


@pytest.fixture
def two(nodes):
    """Two nodes whose clients are all there."""
    nodes.mend()
    return nodes


@pytest.fixture(scope="module")
def nodes(tool, tmp_path_factory):
    """The same, whatever the test before has left."""
    folder = tmp_path_factory.mktemp("two-nodes")
    tool("psql", "postgresql")
    pytest.importorskip("psycopg")
    with contextlib.ExitStack() as stack:
        redis = (FarRedis if permitted() else Redis)(tool("redis-server"), folder)
        stack.callback(redis.kill)
        if isinstance(redis, FarRedis):
            stack.callback(redis.remove)
            redis.connect()
        redis.start()
        server = stack.enter_context(postgres.running())
        running = TwoNodes(stack.enter_context(serving(folder)), server, redis)
        site = nginx(folder / "nginx", tool, running.nodes[0].port, kind=Several, nodes=running.nodes)
        stack.enter_context(running.visited(stack.enter_context(site)))
        yield running

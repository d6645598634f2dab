"""Two machines with a Redis cluster of three primaries and three replicas: each first primary is killed in turn."""

import subprocess

import pytest

from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until
from chassis.tests.realtime.test_outages import behind, detail, followers, meet, publish
from chassis.tests.realtime.test_sentinel import ask
from chassis.tests.servers import free_port
from chassis.tests.services import Redis

pytestmark = pytest.mark.long  # elections take seconds
OPTIONS = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-replica-validity-factor", "0"]


class Member(Redis):
    """A server of the cluster."""

    def __init__(self, path, folder):
        super().__init__(path, folder)
        folder.mkdir()
        self.command += [*OPTIONS, "--cluster-port", str(free_port())]

    def knows(self, count):
        """Return whether it knows so many primaries that work."""
        lines = [line.split() for line in ask_lines(self, "cluster", "nodes")]
        working = [words for words in lines if "master" in words[2] and "fail" not in words[2] and len(words) > 8]
        return len(working) == count and "cluster_state:ok" in ask(self, "cluster", "info")


def ask_lines(redis, *words):
    """Return the lines of an answer."""
    command = ["redis-cli", "-p", str(redis.port), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


@pytest.fixture
def members(tool, tmp_path):
    """Six servers that work together, the primaries first."""
    found = [Member(tool("redis-server"), tmp_path / f"member{number}") for number in range(6)]
    for one in found:
        one.start()
    hosts = [f"127.0.0.1:{one.port}" for one in found]
    create = ["redis-cli", "--cluster", "create", *hosts, "--cluster-replicas", "1", "--cluster-yes"]
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: all(one.knows(3) for one in found))
    wait_until(lambda: all("master_link_status:up" in ask(one, "info", "replication") for one in found[3:]))
    yield found
    for one in found:
        one.kill()


def counts_of(members):
    """Return whether one of the servers has counts of limits."""
    return any(ask(one, "keys", f"{SLUG}:limits:*") for one in members)


def test_the_bus_and_the_limits_survive_the_end_of_every_first_primary(members, live, connect):
    members[0].url = "redis+cluster://" + ",".join(f"127.0.0.1:{one.port}" for one in members)
    pair = meet([live(**behind(members[0]), RATE_LIMIT_DEFAULT="1000 per hour") for _ in range(2)])
    clients = followers(connect, pair, "cluster")
    sids = [client.sid for client in clients]
    alive = list(members)
    for number in range(3):
        assert pair[0].get("/api/jobs")[0] == 200
        wait_until(lambda: counts_of(alive))
        alive.remove(members[number])
        members[number].kill()
        for server, first in zip(pair, (0, 1000), strict=True):
            publish(server, "cluster", 20, first=number * 20 + first)
            assert server.get("/api/jobs")[0] == 200
        wait_until(lambda: all(one.knows(3) for one in alive))
        for client in clients:
            wait_until(lambda client=client: len(client.news()) == (number + 1) * 40)  # noqa: B023
            for first in (0, 1000):
                mine = [n for n in client.news() if first <= n < first + 1000]
                assert mine == list(range(first, first + (number + 1) * 20))
        for server in pair:
            wait_until(lambda server=server: detail(server) == "" and server.metric("app_redis_down") == 0)
            wait_until(lambda server=server: counted_together(server, alive))
            assert server.metric("redis_messages_lost_total") == 0
            assert '"node_gone"' not in server.log
    assert any('"redis_down"' in server.log for server in pair)
    assert [client.sid for client in clients] == sids, "nobody connected again"


def counted_together(server, alive):
    """Return whether a request of a server is counted in the cluster again."""
    for one in alive:
        ask(one, "flushall")
    return server.get("/api/jobs")[0] == 200 and counts_of(alive)

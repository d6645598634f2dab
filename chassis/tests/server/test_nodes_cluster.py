"""Two nodes and a Redis cluster of three primaries and three replicas: each first primary is killed in turn."""

import subprocess

import pytest
from redis.exceptions import RedisError

from chassis.limits import Rate
from chassis.limits.redis import RedisBuckets
from chassis.tests.patience import wait_until
from chassis.tests.server.started_nodes import started
from chassis.tests.servers import free_port
from chassis.tests.services import Redis

pytestmark = pytest.mark.long  # elections take seconds
OPTIONS = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-replica-validity-factor", "0"]
HOURLY = (Rate(100, 3600),)
KEYS = [f"key{number}" for number in range(12)]  # of all primaries


class Member(Redis):
    """A server of the cluster."""

    def __init__(self, path, folder):
        super().__init__(path, folder)
        folder.mkdir()
        self.command += [*OPTIONS, "--cluster-port", str(free_port())]

    def ask(self, *words):
        """Return the lines of an answer."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()

    def primaries(self):
        """Return the ports of the primaries with slots that it takes for working ones."""
        lines = [line.split() for line in self.ask("cluster", "nodes")]
        working = [words for words in lines if "master" in words[2] and "fail" not in words[2] and len(words) > 8]
        return [int(words[1].partition("@")[0].rpartition(":")[2]) for words in working]


@pytest.fixture
def members(tool, tmp_path):
    """Six servers that work together, the primaries first."""
    found = [Member(tool("redis-server"), tmp_path / f"member{number}") for number in range(6)]
    for one in found:
        one.start()
    hosts = [f"127.0.0.1:{one.port}" for one in found]
    create = ["redis-cli", "--cluster", "create", *hosts, "--cluster-replicas", "1", "--cluster-yes"]
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: whole(found))
    wait_until(lambda: all("master_link_status:up" in one.ask("info", "replication") for one in found[3:]))
    yield found
    for one in found:
        one.kill()


def whole(alive):
    """Return whether all these servers know three primaries among them, and take the cluster for whole."""
    ports = {one.port for one in alive}
    known = [one.primaries() for one in alive]
    return all(len(some) == 3 and ports.issuperset(some) for some in known) and all(
        "cluster_state:ok" in one.ask("cluster", "info") for one in alive
    )


def url_of(members):
    return "redis+cluster://" + ",".join(f"127.0.0.1:{one.port}" for one in members)


def counted(buckets, key):
    """Return how much is left of a key's budget, once the cluster answers."""

    def left():
        try:
            return buckets.take(key, HOURLY).remaining
        except (RedisError, OSError):
            return None

    return wait_until(left)


def test_messages_arrive_in_order_and_once_while_every_first_primary_ends(members):
    nodes = [started(url_of(members), name) for name in ("a", "b")]
    wait_until(lambda: all(one.watch.is_up for one in nodes))
    for number in range(3):
        members[number].kill()
        for one in nodes:
            for n in range(number * 20, number * 20 + 20):
                one.append({"method": "emit", "n": n})
        wait_until(lambda: whole(members[number + 1 :]))  # noqa: B023
        wait_until(lambda: all(len(one.got) == number * 20 + 20 for one in nodes))  # noqa: B023
        wait_until(lambda: all(one.watch.is_up for one in nodes))
    for one in nodes:
        assert [message["n"] for message in one.got] == list(range(60))
        assert (one.watch.lost_ones, one.watch.gone_ones) == (0, 0)
        one.leave()


def test_limits_are_counted_while_every_first_primary_ends(members):
    one, other = (RedisBuckets(url_of(members)) for _ in range(2))
    assert [counted(one, key) for key in KEYS] == [99] * len(KEYS)
    for number in range(3):
        wait_until(lambda: all(copied(member) for member in members[3:]))
        members[number].kill()
        wait_until(lambda: whole(members[number + 1 :]))  # noqa: B023
        for buckets in (one, other):
            assert len({counted(buckets, key) for key in KEYS}) == 1, "a primary has forgotten its counts"


def copied(replica):
    """Return whether a replica, or a former one, has all that its primary has."""
    told = dict(line.split(":", 1) for line in replica.ask("info", "replication") if ":" in line)
    return told["role"] == "master" or told["slave_repl_offset"] == told["master_repl_offset"]

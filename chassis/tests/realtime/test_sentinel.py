"""Two machines with a Redis that Sentinel watches: its primary is killed, and the replica takes its place."""

import subprocess

import pytest

from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until
from chassis.tests.realtime.test_outages import behind, detail, followers, meet, publish
from chassis.tests.services import Redis

pytestmark = pytest.mark.long  # an election takes seconds
FAST = "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n"


class Watched(Redis):
    """A Redis of which a Sentinel names the primary."""

    def __init__(self, path, folder, primary):
        super().__init__(path, folder)
        config = folder / "sentinel.conf"
        config.write_text(f"dir {folder}\nsentinel monitor main 127.0.0.1 {primary.port} 1\n{FAST}")
        self.command = [path, str(config), "--sentinel", "--bind", "127.0.0.1", "--port", str(self.port)]
        self.url = f"redis+sentinel://127.0.0.1:{self.port}/0/main"


def ask(redis, *words):
    """Return the words of an answer; Sentinel, when it moves a role, closes connections, so there may be none."""
    command = ["redis-cli", "-p", str(redis.port), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


@pytest.fixture
def trio(tool, tmp_path):
    """A primary, its replica, and the Sentinel that watches both."""
    folders = [tmp_path / name for name in ("primary", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    path = tool("redis-server")
    primary, replica = (Redis(path, folder) for folder in folders[:2])
    replica.command += ["--replicaof", "127.0.0.1", str(primary.port)]
    sentinel = Watched(path, folders[2], primary)
    for one in (primary, replica, sentinel):
        one.start()
    wait_until(lambda: "master_link_status:up" in ask(replica, "info", "replication"))
    wait_until(lambda: str(replica.port) in ask(sentinel, "sentinel", "replicas", "main"))
    yield primary, replica, sentinel
    for one in (primary, replica, sentinel):
        one.kill()


def counts_of(redis):
    """Return the names of the limits' counts."""
    return ask(redis, "keys", f"{SLUG}:limits:*")


def test_the_bus_and_the_limits_move_to_the_new_primary(trio, live, connect):
    primary, replica, sentinel = trio
    pair = meet([live(**behind(sentinel), RATE_LIMIT_DEFAULT="1000 per hour") for _ in range(2)])
    clients = followers(connect, pair, "fails-over")
    sids = [client.sid for client in clients]
    publish(pair[0], "fails-over", 1)
    wait_until(lambda: [client.news() for client in clients] == [[0], [0]])
    wait_until(lambda: pair[0].get("/api/jobs")[0] == 200 and counts_of(primary))
    primary.kill()
    for server in pair:
        wait_until(lambda server=server: '"redis_down"' in server.log)
        assert server.get("/api/jobs")[0] == 200
    publish(pair[0], "fails-over", 20, first=1)
    publish(pair[1], "fails-over", 20, first=1001)
    wait_until(lambda: "role:master" in ask(replica, "info", "replication"))
    for client in clients:
        wait_until(lambda client=client: len(client.news()) == 41)
    for server in pair:
        wait_until(lambda server=server: detail(server) == "" and server.metric("app_redis_down") == 0)
        assert server.metric("redis_messages_lost_total") == 0
    publish(pair[1], "fails-over", 1, first=5000)
    wait_until(lambda: clients[0].news()[-1] == clients[1].news()[-1] == 5000)
    assert [client.sid for client in clients] == sids, "nobody connected again"
    assert ask(replica, "flushall") == ["OK"]
    wait_until(lambda: pair[0].get("/api/jobs")[0] == 200 and counts_of(replica))


def test_a_former_primary_that_comes_back_takes_nothing_away(trio, live, connect):
    primary, replica, sentinel = trio
    pair = meet([live(**behind(sentinel)) for _ in range(2)])
    clients = followers(connect, pair, "returns")
    primary.kill()
    wait_until(lambda: "role:master" in ask(replica, "info", "replication"))
    primary.start()
    wait_until(lambda: "role:slave" in ask(primary, "info", "replication"))
    for first in (0, 10):
        publish(pair[first > 0], "returns", 10, first=first)
        wait_until(lambda first=first: [len(client.news()) for client in clients] == [first + 10] * 2)
    for client in clients:
        assert client.news() == list(range(20))

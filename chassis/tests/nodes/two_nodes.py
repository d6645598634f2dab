"""Two nodes behind nginx, with PostgreSQL, Redis, 200 clients, a fan-out and a batch; and what must hold afterwards."""

import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from chassis.tests.deploy.several import Several
from chassis.tests.nodes import tables
from chassis.tests.nodes.crowd import Crowd
from chassis.tests.nodes.fan_out import Publisher
from chassis.tests.nodes.far_redis import FarRedis
from chassis.tests.patience import wait_until
from chassis.tests.postgres import Postgres
from chassis.tests.servers import Server, gunicorn
from chassis.tests.services import Redis, psql

CLIENTS = 200
SETTINGS = {
    "TRUSTED_PROXIES": "127.0.0.1",
    "JOB_LEASE_SECONDS": "6",
    "SOCKET_PING_INTERVAL_SECONDS": "5",
    "SOCKET_PING_TIMEOUT_SECONDS": "10",
}
CLOCK = {"CLOCK_AHEAD_SECONDS": "0"}
COMMAND = gunicorn(Path(__file__).parent, "node_app:app")


class TwoNodes:
    """The service; `nodes` are its two servers."""

    def __init__(self, start: Callable[..., Server], postgres: Postgres, redis: Redis) -> None:
        self.postgres, self.redis, self.database = postgres, redis, f"{postgres.url}/postgres"
        psql(self.database, tables.CREATE)
        urls = redis.urls if isinstance(redis, FarRedis) else [redis.url] * 2
        common = SETTINGS | CLOCK | {"DATABASE_URL": self.database}
        self.nodes = [start(command=COMMAND, REDIS_URL=url, ready=False, **common) for url in urls]
        for node in self.nodes:
            node.wait_ready()
        wait_until(lambda: self.ask(tables.PLANNED) == "1")

    @contextlib.contextmanager
    def visited(self, site: Several) -> Iterator[None]:
        """Let clients come through nginx, and publishers to both nodes."""
        self.site = site
        self.crowd = Crowd(site, CLIENTS)
        self.publishers = [Publisher(f"{node.port}", site, self._address(node)) for node in self.nodes]
        try:
            self.all_well()
            yield
        finally:
            for publisher in self.publishers:
                publisher.stop()
            self.crowd.stop()

    def _address(self, node: Server) -> str:
        """Return a client's address whose requests go to this node."""
        addresses = [f"127.0.{number}.1" for number in range(100, 120)]
        found = (
            one for one in addresses if json.loads(self.site.ask("/api/node", source=one)[2])["port"] == str(node.port)
        )
        return next(found)

    def ask(self, statement: str, **values: str) -> str:
        """Return the answer of the database."""
        return psql(self.database, statement.format(**values))

    @contextlib.contextmanager
    def busy(self, rows: int = 40) -> Iterator[None]:
        """Let news go out and a batch run on each node while the block breaks something; check all afterwards."""
        jobs = [node.post(f"/api/rows/{rows}/0.4")[1]["id"] for node in self.nodes]
        for job in jobs:
            wait_until(lambda job=job: self.ask(tables.ROWS_OF, job=job))
        for publisher in self.publishers:
            publisher.start()
        pulses, before = int(self.ask(tables.PULSES)), Counter(self.crowd.counted)
        yield
        for job in jobs:
            wait_until(
                lambda job=job: self.ask(tables.STATE_OF, job=job) not in ("queued", "running"), "a job is stuck"
            )
            assert self.ask(tables.STATE_OF, job=job) == "succeeded"
            assert self.ask(tables.ROWS_OF, job=job).split() == [str(n) for n in range(rows)], "a row lost or doubled"
        self.all_well()
        wait_until(lambda: self.ask(tables.UNFINISHED) == "0", "a job is stuck")
        assert int(self.ask(tables.PULSES)) == pulses + 1, "the schedule did not run once"
        print(f"what the clients counted: {dict(self.crowd.counted - before)}; news until now: {self._told()}")

    def all_well(self) -> None:
        """Wait until every client is back and knows all news; then send each one more, which all must see."""
        for publisher in self.publishers:
            publisher.pause()
        for _ in range(2):
            last = {publisher.who: publisher.last for publisher in self.publishers if publisher.last}
            try:
                wait_until(lambda last=last: not self.crowd.absent(last))
            except AssertionError:
                absent = self.crowd.absent(last)
                raise AssertionError(f"{len(absent)} clients are not back, {last}: {absent[:5]}") from None
            assert not self.crowd.faults, self.crowd.faults[:5]
            for publisher in self.publishers:
                publisher.tell()

    def everybody_is_back(self) -> bool:
        """Return whether all clients are connected."""
        return self.crowd.live == CLIENTS

    def wait_for_news(self, count: int) -> None:
        """Wait until each publisher has sent so many news more."""
        until = [(publisher, publisher.last + count) for publisher in self.publishers]
        wait_until(lambda: all(publisher.last >= last for publisher, last in until))

    def mend(self) -> None:
        """Start again what a test that failed has left broken, so that the next one fails by its own fault alone."""
        if self.redis.process.poll() is not None:
            self.redis.start()
        if not self.postgres.answers():
            self.postgres.start()
        for node in self.nodes:
            if node.process.poll() is not None:
                node.env |= CLOCK
                self.start(node)
                self.site.mark(node, "up")
        for publisher in self.publishers:
            publisher.pause()
        self.crowd.forget_faults()

    def start(self, node: Server) -> None:
        """Start a node that has ended."""
        node.start()
        node.wait_ready()

    def restart(self, node: Server, **env: str) -> None:
        """Replace a node as instances.sh does: nginx sends its requests to the other one meanwhile."""
        self.site.mark(node, "down")
        node.stop()
        node.env |= env
        self.start(node)
        self.site.mark(node, "up")

    def _told(self) -> dict[str, tuple[int, int]]:
        """Return how many news each publisher has sent, and how often it had to send one again."""
        return {publisher.who: (publisher.last, publisher.repeated) for publisher in self.publishers}

    def make_due(self, seconds: float = 0) -> None:
        """Let the schedule's time come."""
        self.ask(tables.MAKE_DUE, seconds=str(seconds))


def kill(node: Server) -> None:
    """End all processes of a node at once."""
    for pid in [node.pid, *node.workers()]:
        os.kill(pid, signal.SIGKILL)
    node.process.wait()

"""Kills at random moments: no finished row is lost or asked again, and the batch still ends well.

KILL_ROUNDS=20 kills twenty times in all, instead of seven.
"""

import csv
import io
import itertools
import json
import os
import random
import signal
import time

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]
ROWS = 240
CONCURRENCY = 8
WORKERS, MASTERS, BOTH = 4, 2, 1  # kills of one test


def turns(kills: int) -> list[int]:
    """Return how often each test has to run for so many kills together."""
    found = [0, 0, 0]
    for number in itertools.cycle(range(3)):
        if kills <= 0:
            return found
        found[number] += 1
        kills -= (WORKERS, MASTERS, BOTH)[number]
    return found


TURNS = [range(times) for times in turns(int(os.environ.get("KILL_ROUNDS") or 7))]


@pytest.fixture
def chance():
    """Random moments; FAULT_SEED repeats a run's."""
    seed = int(os.environ.get("FAULT_SEED") or time.time_ns() % 1_000_000)
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)


class Batch:
    """A batch of unlike rows on a server that asks the local API."""

    def __init__(self, server, upstream, wait_for) -> None:
        self.server, self.upstream, self.wait_for = server, upstream, wait_for
        rows = [{"n": f"row {number}"} for number in range(ROWS)]
        made = server.post("/api/predictions", {"name": "faults", "prompt": "say {n}", "rows": rows})[1]
        self.path = f"/api/predictions/{made['id']}"
        self.kept: dict[int, dict] = {}
        self.deaths = 0

    def status(self):
        """Return the batch, or None while nobody answers."""
        status, text = self.server.get(self.path)
        return json.loads(text) if status == 200 else None

    def is_in(self, *states):
        return (batch := self.status()) and batch["status"] in states and batch

    def work_for(self, rows: int) -> None:
        """Let it answer that many more rows, or the rest: it may have ended before this process looks."""
        batch = self.wait_for(lambda: self.is_in("running", "succeeded"), "it does not run")
        enough = min(ROWS, batch["done"] + rows)
        self.wait_for(lambda: (now := self.status()) and now["done"] >= enough, "it does not go on")

    def look_after_a_death(self) -> None:
        """Wait until the loss is noticed, see that every row that was finished still is, and go on."""
        self.deaths += 1
        self.wait_for(lambda: self.is_in("interrupted", "succeeded"), "nobody noticed the death")
        finished = {row["position"]: row for row in self.rows() if row["status"] != "pending"}
        assert self.kept.items() <= finished.items()
        assert self.wait_for(self.status, "nobody answers")["done"] == len(finished)
        self.kept, self.asked = finished, len(self.upstream.stats()["prompts"])
        if self.wait_for(self.status, "nobody answers")["status"] == "interrupted":
            self.wait_for(self.requeue, "nobody queues it again")

    def requeue(self) -> bool:
        """Queue it again; return whether somebody answered."""
        status, _ = self.server.request("POST", f"{self.path}/requeue", b"{}", {"Content-Type": "application/json"})
        assert status in (0, 202, 409)  # a lost answer is followed by a conflict
        return status != 0

    def rows(self) -> list[dict]:
        return json.loads(self.read("rows?limit=500"))["items"]

    def read(self, what: str) -> str:
        """Return what the server answers; between the end of a dead master's worker and its successor nobody does."""
        path = f"{self.path}/{what}"
        return self.wait_for(lambda: (found := self.server.get(path))[0] == 200 and found, "nobody answers")[1]

    def end(self) -> None:
        """Wait for the end, and look at all rows and all prompts."""
        self.wait_for(lambda: self.is_in("succeeded"), "it did not end")
        lines = list(csv.DictReader(io.StringIO(self.read("results.csv"))))
        assert [line["output"] for line in lines] == [f"echo: say row {number}" for number in range(ROWS)]
        assert {row["position"]: row for row in self.rows()}.items() >= self.kept.items()
        assert sorted(row["finish_no"] for row in self.rows()) == list(range(1, ROWS + 1))
        prompts = self.upstream.stats()["prompts"]
        assert not {row["output"].removeprefix("echo: ") for row in self.kept.values()} & set(prompts[self.asked :])
        assert len(prompts) <= ROWS + self.deaths * CONCURRENCY, "more than the calls under way were asked again"


@pytest.fixture
def batch(serve, fake_upstream, wait_for):
    upstream = fake_upstream(latency=0.1)
    keys = {"UPSTREAM_BASE_URL": upstream.base_url, "OPENROUTER_API_KEY": "sk-local-12345678"}
    pace = {"UPSTREAM_REQUESTS_PER_SECOND": "30", "UPSTREAM_MAX_CONCURRENT_REQUESTS": str(CONCURRENCY)}
    return Batch(serve(**keys, **pace), upstream, wait_for)


@pytest.mark.parametrize("turn", TURNS[0])
def test_workers_killed_at_random_moments_lose_no_row_and_none_is_asked_again(batch, chance, turn):
    for _ in range(WORKERS):
        batch.work_for(chance.randint(0, 36))
        for worker in batch.server.workers():
            os.kill(worker, signal.SIGKILL)
        batch.look_after_a_death()
    batch.end()


@pytest.mark.parametrize("turn", TURNS[1])
def test_a_master_killed_at_a_random_moment_loses_no_row_and_its_successor_goes_on(batch, chance, turn):
    for _ in range(MASTERS):
        batch.work_for(chance.randint(0, 60))
        os.kill(batch.server.pid, signal.SIGKILL)
        batch.server.process.wait()
        batch.server.start()
        batch.server.wait_ready()
        batch.look_after_a_death()
    batch.end()


@pytest.mark.parametrize("turn", TURNS[2])
def test_master_and_worker_killed_together_leave_a_batch_that_the_next_start_gives_back(batch, chance, turn):
    batch.work_for(chance.randint(15, 90))
    for pid in [*batch.server.workers(), batch.server.pid]:
        os.kill(pid, signal.SIGKILL)
    batch.server.process.wait()
    batch.server.start()
    batch.server.wait_ready()
    batch.look_after_a_death()
    batch.end()

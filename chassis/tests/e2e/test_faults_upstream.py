"""The outside API refuses, hangs and dies, each until it is told, under one batch: it goes on, and no row is lost."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest

from chassis.tests.e2e.faults import all_done, all_rows_once, batch_of, start_batch
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import CLEAN, ROOT, free_port, same_in_every_mode
from chassis.tests.services import FAKE_UPSTREAM

pytestmark = [pytest.mark.long, same_in_every_mode]


class Api:
    """The outside API at one address, in a process that can hang and die."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [*FAKE_UPSTREAM, "--port", str(self.port), "--latency", "0.4"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=CLEAN)
        assert self.process.stdout.readline().strip() == self.url

    def refuse(self, **how: int) -> None:
        urllib.request.urlopen(f"{self.url}/refuse", data=json.dumps(how).encode(), timeout=LIMIT_SECONDS).close()

    def prompts(self) -> list[str]:
        with urllib.request.urlopen(f"{self.url}/stats", timeout=LIMIT_SECONDS) as answer:
            return json.load(answer)["prompts"]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def api():
    one = Api()
    yield one
    one.end()


def outputs(server, path):
    """Return the answers that are there."""
    rows = server.json(f"{path}/rows?limit=500")["items"]
    return {row["output"].removeprefix("echo: ") for row in rows if row["output"]}


def test_a_batch_survives_an_api_that_refuses_hangs_and_dies(serve, api, wait_for):
    patience = {"UPSTREAM_MAX_RETRIES": "2", "UPSTREAM_TIMEOUT_SECONDS": "1"}
    limit = {"UPSTREAM_MAX_CONCURRENT_REQUESTS": "5"}
    server = serve(UPSTREAM_BASE_URL=api.url, OPENROUTER_API_KEY="sk-local-12345678", **patience, **limit)
    path = start_batch(server)

    def works():
        before = batch_of(server, path)["done"]
        wait_for(lambda: batch_of(server, path)["done"] > before + 3)
        assert server.metric("app_upstream_failing") == 0

    def is_told(words):
        wait_for(lambda: words in server.json("/readyz")["checks"].get("upstream", {}).get("detail", ""))
        assert server.get("/readyz")[0] == 200
        assert server.metric("app_upstream_failing") == 1
        return outputs(server, path)

    works()
    api.refuse(status=429)
    finished, asked = is_told("rate-limiting this service"), len(api.prompts())
    api.refuse()
    works()
    assert not finished & set(api.prompts()[asked:])
    assert server.metric("upstream_rate_limited_total") > 0

    api.process.send_signal(signal.SIGSTOP)
    is_told("did not answer within 1 seconds")
    api.process.send_signal(signal.SIGCONT)
    works()

    api.end()
    finished, retries = is_told("failed or was interrupted"), server.metric("upstream_retries_total")
    wait_for(lambda: server.metric("upstream_retries_total") > retries + 2 * 5)  # one of five calls had more than two
    api.start()
    wait_for(lambda: all_done(server, path))
    assert not finished & set(api.prompts())
    assert batch_of(server, path)["failed"] == 0
    assert all_rows_once(server, path)
    assert (
        re.findall(r"upstream_failing|upstream_answers_again", server.log)
        == [
            "upstream_failing",
            "upstream_answers_again",
        ]
        * 3
    )
    assert "upstream" not in server.json("/readyz")["checks"]

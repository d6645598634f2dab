"""Budgets: no overspending however many requests run at once."""

import re
import subprocess
import sys

from app.features.gateway.tests.conftest import at_once
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import ROOT

TOKENS = 12  # of an answer of the backend: 7 in, 5 out
PRICES = {"PRICE_PER_MTOK_INPUT": "1", "PRICE_PER_MTOK_OUTPUT": "1"}


def test_requests_at_once_do_not_overspend_a_budget(gateway, backends, wait_for):
    one = backends()
    client = gateway(one, **PRICES, BUDGET_PER_KEY="0.002", RATE_LIMIT_DEFAULT="")
    made = subprocess.run(
        [sys.executable, "-m", "flask", "keys", "create", "racer"],
        cwd=ROOT, env=client.server.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = re.search(r"\bak_\S+", made.stdout)[0]
    found = []

    def ask(_number):
        body = {"model": "small", "max_tokens": 300, "messages": [{"role": "user", "content": "x" * 100}]}
        found.append(client.ask("POST", "/v1/chat/completions", body, key=key))

    for thread in at_once(60, ask):
        thread.join(LIMIT_SECONDS)
    statuses = [status for status, _, _ in found]
    assert len(statuses) == 60
    assert set(statuses) == {200, 402}
    refused = next(body for status, body, _ in found if status == 402)
    assert (refused["error"]["code"], refused["error"]["type"]) == ("budget_exceeded", "insufficient_quota")
    wait_for(lambda: len(client.calls()) == 60 - statuses.count(402))
    usage = client.ask("GET", "/api/usage", key=key)[1]
    assert statuses.count(200) * TOKENS <= 2_000
    assert str(statuses.count(200) * TOKENS) in str(usage)
    assert one.began == statuses.count(200)

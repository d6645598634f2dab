"""A batch whose owner's budget is used up stops, and goes on when there is more."""

import json
import secrets

ADMIN, KEY = secrets.token_hex(24), secrets.token_hex(24)
MONEY = {
    "REQUIRE_CLIENT_API_KEY": "true",
    "ADMIN_API_KEY": ADMIN,
    "CLIENT_API_KEYS": KEY,
    "PRICE_PER_MTOK_INPUT": "1",
    "PRICE_PER_MTOK_OUTPUT": "1",
    "BUDGET_OUTPUT_TOKENS": "10",
    "BUDGET_PER_KEY": "0.0001",
    "UPSTREAM_MAX_CONCURRENT_REQUESTS": "4",
}
ENDED = ("succeeded", "failed")


def ask(server, key, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    status, text = server.request("GET" if body is None else "POST", path, data, headers)
    return status, json.loads(text)


def test_the_rest_of_a_batch_is_not_attempted_and_goes_on_with_a_new_budget(own, wait_for):
    server, upstream = own(**MONEY)
    new = {"name": "b", "prompt": "say {n}", "rows": [{"n": f"{n}"} for n in range(50)]}
    made = ask(server, KEY, "/api/predictions", new)[1]
    place = f"/api/predictions/{made['id']}"

    def ended():
        return wait_for(lambda: (batch := ask(server, KEY, place)[1])["status"] in ENDED and batch)

    batch = ended()
    assert (batch["status"], batch["failed"]) == ("failed", 0)
    assert 0 < batch["done"] < 50
    assert f"{50 - batch['done']} rows were not attempted" in batch["message"]
    assert "monthly budget of this key" in batch["message"]
    assert upstream.stats()["requests"] == batch["done"]
    usage = ask(server, KEY, "/api/usage")[1]
    (budget,), (model,) = usage["budgets"], usage["models"]
    assert (model["calls"], model["cost"]) == (batch["done"], budget["spent"])
    assert budget["reserved"] == 0
    assert budget["spent"] <= budget["limit"] == 100

    change = f"/api/admin/budgets/{budget['subject']}"
    assert ask(server, ADMIN, change, {"limit": budget["spent"]})[0] == 200
    status, refused = ask(server, KEY, f"{place}/requeue", {})
    assert (status, refused["error"]["code"], refused["error"]["details"]["left"]) == (402, "budget_exceeded", 0)
    assert ask(server, KEY, "/api/predictions", new)[0] == 402
    assert ask(server, ADMIN, change, {"limit": 10_000})[0] == 200
    assert ask(server, KEY, f"{place}/requeue", {})[0] == 202
    assert (ended()["status"], ended()["done"]) == ("succeeded", 50)

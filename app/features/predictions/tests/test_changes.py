"""Batches are renamed, deleted and run again, by their owner alone."""

import json

from app.features.predictions.tests.batches import ask, ended, keys_of, numbers
from app.features.predictions.tests.test_ownership import as_key
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.security.conftest import CLIENT, GUARDED, OTHER


def change(server, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    status, text = server.request(method, path, data, {"Content-Type": "application/json"})
    return status, json.loads(text)


def test_a_batch_is_renamed_run_again_and_deleted(shared, wait_for):
    made = ask(shared, numbers(3), prompt="say {n}: yes or no", name="first")
    path, before = f"/api/predictions/{made['id']}", ended(shared, wait_for, made)
    status, batch = change(shared, "PATCH", path, {"name": " second "})
    assert (status, batch["name"], shared.json(path)["name"]) == (200, "second", "second")
    status, again = change(shared, "POST", f"{path}/run-again", {})
    assert status == 202
    copy = ended(shared, wait_for, again)
    assert (copy["total"], copy["prompt"], copy["id"] == made["id"]) == (3, before["prompt"], False)
    rows = [shared.json(f"/api/predictions/{one}/rows")["items"] for one in (made["id"], again["id"])]
    assert [row["input"] for row in rows[0]] == [row["input"] for row in rows[1]]
    assert change(shared, "DELETE", path)[0] == 200
    assert [shared.get(gone)[0] for gone in (path, f"{path}/rows", f"/api/jobs/{made['job_id']}")] == [404] * 3
    assert shared.get(f"/api/predictions/{again['id']}")[0] == 200


def test_a_batch_that_runs_is_not_deleted(serve, wait_for):
    server = serve(UPSTREAM_REQUESTS_PER_SECOND="1")
    made = ask(server, numbers(100))
    path = f"/api/predictions/{made['id']}"
    wait_for(lambda: server.json(path)["status"] == "running")
    status, refused = change(server, "DELETE", path)
    assert (status, "cancel it" in refused["error"]["message"]) == (409, True)
    assert server.json(path)["total"] == 100


def test_a_name_is_needed(shared):
    made = ask(shared, numbers(1))
    assert change(shared, "PATCH", f"/api/predictions/{made['id']}", {"name": ""})[0] == 400
    assert change(shared, "PATCH", "/api/predictions/" + "0" * 32, {"name": "x"})[0] == 404


def test_the_rows_that_are_being_asked_are_told(serve, upstream, wait_for):
    upstream.hold_after(2)
    server = serve(**keys_of(upstream), UPSTREAM_MAX_CONCURRENT_REQUESTS="3")
    made = ask(server, numbers(9))
    path = f"/api/predictions/{made['id']}"
    wait_for(lambda: server.json(path)["done"] == 2)
    answered = {row["position"] for row in server.json(f"{path}/rows")["items"] if row["status"] != "pending"}
    assert server.json(path)["asked"] == sorted({0, 1, 2, 3, 4} - answered)
    assert server.post(f"{path}/cancel")[0] == 200
    assert ended(server, wait_for, made)["asked"] == []


@same_in_every_mode
def test_nobody_else_changes_a_batch(serve):
    server = serve(**GUARDED, DEMO_PREDICTOR="true", UPSTREAM_REQUESTS_PER_SECOND="1")
    headers = {"X-API-Key": CLIENT, "Content-Type": "application/json"}
    made = json.loads(server.request("POST", "/api/predictions/example", b"", headers)[1])
    path = f"/api/predictions/{made['id']}"
    assert as_key(server, OTHER, "PATCH", path, b'{"name": "theirs"}') == 404
    assert as_key(server, OTHER, "DELETE", path) == 404
    assert as_key(server, OTHER, "POST", f"{path}/run-again", b"{}") == 404

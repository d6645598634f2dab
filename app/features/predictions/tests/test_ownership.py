"""A batch is its owner's: nobody else finds it, follows it or changes it, but for admins."""

import json

import pytest
import socketio

from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import ADMIN, CLIENT, GUARDED, OTHER
from chassis.tests.security.test_keys import flask


@pytest.fixture
def guarded(serve):
    return lambda **env: serve(**GUARDED, **env)


def as_key(server, key: str, method: str, path: str, body: bytes | None = None) -> int:
    return server.request(method, path, body, {"X-API-Key": key, "Content-Type": "application/json"})[0]


def listed(server, key: str, path: str) -> int:
    return json.loads(server.get(path, {"X-API-Key": key})[1])["total"]


def submitted(server, key: str) -> dict[str, str]:
    status, text = server.request("POST", "/api/predictions/example", b"", {"X-API-Key": key})
    assert status == 202, text
    return json.loads(text)


def subscribed(server, key: str, job_id: str) -> bool:
    client = socketio.Client(reconnection=False, request_timeout=LIMIT_SECONDS)
    client.connect(server.url, auth={"key": key}, transports=["websocket"], wait_timeout=LIMIT_SECONDS)
    answer = client.call("job:subscribe", {"id": job_id})
    client.disconnect()
    assert answer["ok"] or answer["error"]["code"] == "not_found"
    return answer["ok"]


def test_only_the_owner_and_admins_see_and_change_a_batch(guarded):
    server = guarded(UPSTREAM_REQUESTS_PER_SECOND="1", DEMO_PREDICTOR="true")
    mine = submitted(server, CLIENT)
    batch, job = f"/api/predictions/{mine['id']}", f"/api/jobs/{mine['job_id']}"
    for path in (batch, f"{batch}/rows", f"{batch}/results.csv", f"{batch}/results.json", job):
        assert [as_key(server, key, "GET", path) for key in (CLIENT, ADMIN, OTHER)] == [200, 200, 404], path
    assert as_key(server, OTHER, "GET", f"/predictions/{mine['id']}") == 404
    for path in ("/api/predictions", "/api/jobs"):
        assert [listed(server, key, path) for key in (CLIENT, ADMIN, OTHER)] == [1, 1, 0], path
    assert [subscribed(server, key, mine["job_id"]) for key in (CLIENT, ADMIN, OTHER)] == [True, True, False]
    for change in ("cancel", "requeue"):
        assert as_key(server, OTHER, "POST", f"{batch}/{change}", b"{}") == 404
    reader = flask(server, "keys", "create", "reader", "--scope", "read")
    assert as_key(server, reader, "POST", "/api/predictions/example") == 403
    assert as_key(server, CLIENT, "POST", f"{batch}/cancel") == 200


@pytest.mark.long
def test_a_key_of_an_owner_shares_the_work_of_the_owners_other_keys(guarded):
    server = guarded(UPSTREAM_REQUESTS_PER_SECOND="1", DEMO_PREDICTOR="true")
    one, two = (flask(server, "keys", "create", name, "--owner", "ada@example.org") for name in ("one", "two"))
    made = submitted(server, one)
    assert [as_key(server, key, "GET", f"/api/predictions/{made['id']}") for key in (two, CLIENT)] == [200, 404]
    assert subscribed(server, two, made["job_id"])


@pytest.mark.long
def test_what_is_public_is_watched_by_all_and_changed_by_its_owner(guarded):
    server = guarded(PUBLIC_READ="true", UPSTREAM_REQUESTS_PER_SECOND="1", DEMO_PREDICTOR="true")
    made = submitted(server, CLIENT)
    assert server.get(f"/api/predictions/{made['id']}")[0] == 200
    assert subscribed(server, OTHER, made["job_id"])
    assert as_key(server, OTHER, "POST", f"/api/predictions/{made['id']}/cancel") == 403
    assert server.request("POST", f"/api/predictions/{made['id']}/cancel", b"")[0] == 401
    assert as_key(server, CLIENT, "POST", f"/api/predictions/{made['id']}/cancel") == 200

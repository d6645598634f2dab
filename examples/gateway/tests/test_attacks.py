"""Clients and backends that mean harm, or behave as if they did."""

import json
import threading
import urllib.request

from app.features.gateway import store
from app.features.gateway.tables import backends as table
from app.features.gateway.tests.conftest import ADMIN, at_once
from chassis.tests.patience import LIMIT_SECONDS

PASSED_ON = {"Host", "Content-Type", "Accept", "Content-Length"}


def test_headers_pass_in_neither_direction(gateway, backends):
    one = backends()
    client = gateway(one)
    sent = {"Cookie": "a=1", "X-Forwarded-Host": "evil", "X-HTTP-Method-Override": "DELETE", "Proxy-Authorization": "x"}
    body = {"model": "small", "messages": [{"role": "user", "content": "hi"}]}
    status, _, headers = client.ask("POST", "/v1/chat/completions", body, headers=sent)
    assert (status, headers["Set-Cookie"]) == (200, None)
    assert one.seen[-1]["headers"].keys() == PASSED_ON


def test_two_readers_take_a_request_for_the_same_one(gateway, backends):
    """A name that is given twice reaches the backend once, with the value that the budget was checked for."""
    one = backends()
    client = gateway(one)
    text = b'{"model": "dear", "model": "small", "messages": [{"role": "user", "content": "hi"}]}'
    headers = {"Content-Type": "application/json", "X-API-Key": ADMIN}
    request = urllib.request.Request(f"{client.url}/v1/chat/completions", text, headers)
    with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
        assert answer.status == 200
    passed_on = b'{"model":"small","messages":[{"role":"user","content":"hi"}]}'
    assert one.seen[-1]["headers"]["Content-Length"] == str(len(passed_on))


def test_a_stream_that_never_ends_is_cut_and_says_nothing_about_the_backend(gateway, backends, wait_for):
    """Its reader may have been the slow one: slow clients must not take backends out of the pool."""
    one, seen = backends(), []
    client = gateway(one, REQUEST_TIMEOUT_SECONDS="1", MAX_CONSECUTIVE_FAILURES="1")
    client.stream("[endless]", seen)
    assert json.loads(seen[-1])["error"]["code"] == "backend_failed"
    wait_for(lambda: one.ended == 1)
    assert client.stats()["one"]["state"] == "closed"


def test_a_stream_with_what_is_no_data_is_passed_on_without_it(gateway, backends):
    seen = []
    gateway(backends()).stream("[malformed]", seen)
    parts = [json.loads(one)["choices"][0]["delta"].get("content", "") for one in seen if one not in ("", "[DONE]")]
    assert ("".join(parts), seen[-1]) == ("0 1 2 ", "[DONE]")


def test_a_slow_backend_is_hedged_when_that_is_on(gateway, backends, wait_for):
    slow, quick = backends(name="slow"), backends(name="quick")
    client = gateway(slow, quick, GATEWAY_HEDGE_SECONDS="0.1")
    heavy = next(one for one in client.ask("GET", "/api/backends")[1]["items"] if one["name"] == "slow")
    client.ask("PATCH", f"/api/backends/{heavy['id']}", {"weight": 1000})
    slow.gate = threading.Event()
    assert client.text() == "quick: hi"
    call = wait_for(lambda: client.calls())[0]
    assert (call["backend"], call["attempts"], call["outcome"]) == ("quick", 2, "done")
    seen = []
    (thread,) = at_once(1, lambda _: client.stream("hi", seen))
    thread.join(LIMIT_SECONDS)
    assert seen[-1] == "[DONE]"
    wait_for(lambda: {one["in_flight"] for one in client.stats().values()} == {0})
    assert {one["state"] for one in client.stats().values()} == {"closed"}
    slow.gate.set()


def test_a_key_is_not_stored_for_an_address_that_has_changed_meanwhile(tmp_path):
    from sqlalchemy import create_engine

    from app.features.gateway.messages import NewBackend
    from app.features.gateway.registry import FRESH
    from chassis.db import metadata

    with create_engine("sqlite://").begin() as conn:
        metadata.create_all(conn, [table])
        row = NewBackend(name="a", base_url="http://127.0.0.1/v1").model_dump()
        store.insert(conn, {**FRESH, **row, "id": "1", "source": "api"})
        assert not store.change(conn, "1", {"weight": 5}, base_url="http://127.0.0.2/v1")
        assert store.change(conn, "1", {"weight": 5}, base_url="http://127.0.0.1/v1")

"""Around each request: its id, its access line, its metrics."""

import json

import pytest
from flask import Flask
from prometheus_client import REGISTRY

from chassis.observability import requests

LINES = """
from flask import Flask
from chassis.observability import requests
configure(log_format="json", log_level=LEVEL)
app = Flask("small")
requests.install(app)
@app.get("/things/<name>")
def thing(name):
    log.info("inside")
    return "ok"
@app.get("/livez")
def livez():
    return "ok"
client = app.test_client()
"""


@pytest.fixture
def client():
    app = Flask("small")
    requests.install(app)
    app.add_url_rule("/things/<name>", "thing", lambda name: name)
    return app.test_client()


def counted(endpoint: str, status: int, method: str = "GET") -> float:
    labels = {"method": method, "endpoint": endpoint, "status": str(status)}
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


def test_a_good_id_is_taken_over(client):
    answer = client.get("/things/1", headers={"X-Request-ID": "abc.DEF_1-2"})
    assert answer.headers["X-Request-ID"] == "abc.DEF_1-2"


@pytest.mark.parametrize("bad", ["", "a b", "<script>", "x" * 129, "a\u00e9", "a,b", "a/../b", "%0d%0aSet-Cookie:a=b"])
def test_any_other_id_is_replaced(client, bad):
    made = client.get("/things/1", headers={"X-Request-ID": bad}).headers["X-Request-ID"]
    assert made != bad
    assert requests.ACCEPTED_ID.fullmatch(made)
    assert len(made) == 32


def test_two_requests_get_two_ids(client):
    assert len({client.get("/things/1").headers["X-Request-ID"] for _ in range(2)}) == 2


def test_the_access_line_says_what_happened_without_the_query(written):
    inside, access = written(
        LINES.replace("LEVEL", "'INFO'")
        + "client.get('/things/1?token=hush', headers={'X-Request-ID': 'r1'})\nclient.get('/livez')"
    ).events
    assert inside["request_id"] == access["request_id"] == "r1"
    assert access["duration_ms"] >= 0
    kept = {name: access[name] for name in ("event", "method", "path", "status", "remote", "level")}
    assert kept == {
        "event": "request",
        "method": "GET",
        "path": "/things/1",
        "status": 200,
        "remote": "127.0.0.1",
        "level": "info",
    }
    assert "hush" not in json.dumps(access)


def test_on_a_console_the_access_line_says_the_same(written):
    lines = LINES.replace("LEVEL", "'INFO'").replace('"json"', '"console"')
    lines += "client.get('/things/1', headers={'X-Request-ID': 'r1'})"
    _, access = written(lines)
    assert all(part in access for part in ("request", "method=GET", "path=/things/1", "status=200", "request_id=r1"))


def test_an_event_may_have_a_field_named_fields(written):
    (event,) = written("configure(log_format='json')\nlog.warning('seen', fields=['a', 'b'])").events
    assert event["fields"] == ["a", "b"]


def test_health_checks_are_logged_at_debug_only(written):
    (event,) = written(LINES.replace("LEVEL", "'DEBUG'") + "client.get('/livez')").events
    assert (event["path"], event["level"]) == ("/livez", "debug")


def test_the_next_request_does_not_inherit_what_was_bound(written):
    first, second = written(
        LINES.replace("LEVEL", "'INFO'")
        + "structlog.contextvars.bind_contextvars(job_id='left over')\nclient.get('/things/1')"
    ).events
    assert "job_id" not in first
    assert "job_id" not in second


def test_requests_are_counted_by_endpoint_never_by_path(client):
    before = counted("thing", 200), counted("unmatched", 404), counted("unmatched", 405, "other")
    client.get("/things/1")
    client.get("/things/2")
    client.get("/no/such/path")
    client.open("/things/1", method="BREW")
    after = counted("thing", 200), counted("unmatched", 404), counted("unmatched", 405, "other")
    assert [a - b for a, b in zip(after, before, strict=True)] == [2, 1, 1]
    assert "/no/such/path" not in str(list(REGISTRY.collect()))


def test_latency_is_observed_by_endpoint(client):
    labels = {"endpoint": "thing"}
    before = REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0
    client.get("/things/1")
    assert REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) == before + 1


def test_unknown_methods_do_not_fill_the_memory(client):
    client.open("/things/1", method="BREW")
    size = requests._requests.cache_info().currsize
    for number in range(20):
        client.open("/things/1", method=f"BREW{number}")
    assert requests._requests.cache_info().currsize == size

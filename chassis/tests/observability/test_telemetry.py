"""Errors and traces of a real server, as a receiver outside gets them; and nothing of them when they are off."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import socketio

from chassis.base.service import current
from chassis.tests.conftest import CLEAN, ROOT, gunicorn, same_in_every_mode, serving
from chassis.tests.observability.receiver import Receiver, attributes
from chassis.tests.patience import LIMIT_SECONDS, wait_until

COMMAND = gunicorn(Path(__file__).parent, "telemetry_app:app")
TRACE = "0123456789abcdef" * 2
CALLER = f"00-{TRACE}-{'ab' * 8}-01"
TOKEN, KEY = "sk-caller-0123456789", "sk-upstream-0123456789"


@pytest.fixture(scope="module")
def receiver():
    return Receiver()


@pytest.fixture(scope="module")
def server(receiver, tmp_path_factory):
    """A server that sends both, after one of everything has happened to it."""
    with serving(tmp_path_factory.mktemp("telemetry")) as start:
        server = start(command=COMMAND, **settings(receiver.where))
        server.get(f"/api/fail?token={TOKEN}", {"X-Request-ID": "failed-here", "Traceparent": CALLER})
        server.get("/api/ask", {"Traceparent": CALLER})
        server.ids = server.json("/api/work")
        client = socketio.SimpleClient()
        client.connect(server.url, wait_timeout=LIMIT_SECONDS)
        server.answers = [client.call(event, timeout=LIMIT_SECONDS) for event in ("fail", "ask", "refuse")]
        client.disconnect()
        for job in server.ids.values():
            wait_until(lambda job=job: server.json(f"/api/jobs/{job}")["state"] in ("failed", "succeeded"))
        wait_until(lambda: len(receiver.errors()) >= 3)
        server.stop()  # sends what waits
        yield server


def settings(where):
    return {
        "SENTRY_DSN": f"http://public-part@{where}/7",
        "SENTRY_ENVIRONMENT": "staging",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{where}",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=secret-tenant",
        "OPENROUTER_API_KEY": KEY,
        "UPSTREAM_BASE_URL": f"http://{where}",
    }


def span_named(receiver, name):
    found = [span for span in receiver.spans() if span.name == name]
    assert len(found) == 1, [span.name for span in receiver.spans()]
    return found[0]


def children(receiver, parent):
    return {span.name for span in receiver.spans() if span.parent_span_id == parent.span_id}


def test_errors_of_requests_events_and_jobs_arrive_with_their_ids(server, receiver):
    found = {event["exception"]["values"][-1]["type"]: event for event in receiver.errors()}
    assert found.keys() == {"LookupError", "KeyError", "RuntimeError"}
    assert found["LookupError"]["tags"]["request_id"] == "failed-here"
    assert found["RuntimeError"]["tags"]["job_id"] == server.ids["id"]
    assert found["KeyError"]["tags"]["socket_event"] == "fail"
    for event in found.values():
        assert (event["environment"], event["release"].partition("@")[0]) == ("staging", current().slug)
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        assert frames[-1]["filename"].endswith("telemetry_app.py")
        assert frames[-1]["context_line"].strip().startswith("raise")


def test_no_secret_leaves(server, receiver):
    sent = b"".join(body for path, _, body in receiver.got if not path.endswith("/chat/completions"))
    assert b"no such thing, asked with Bearer ***" in sent
    for secret in (TOKEN, KEY, "hush" * 3, "secret-tenant", "public-part"):
        assert secret.encode() not in sent, secret


def test_a_request_belongs_to_its_callers_trace_and_the_call_outside_to_it(server, receiver):
    asked = span_named(receiver, "GET /api/ask")
    assert (asked.trace_id.hex(), asked.parent_span_id.hex()) == (TRACE, CALLER.split("-")[2])
    assert attributes(asked)["http.response.status_code"] == 200
    assert {"POST", "database read"} <= children(receiver, asked)
    call = next(span for span in receiver.spans() if span.name == "POST" and span.parent_span_id == asked.span_id)
    sent = [headers["traceparent"] for headers, _ in receiver.of("/chat/completions") if "traceparent" in headers]
    assert f"00-{TRACE}-{call.span_id.hex()}-01" in sent


def test_failures_are_marked_and_events_and_jobs_have_spans(server, receiver):
    failed, event = span_named(receiver, "GET /api/fail"), span_named(receiver, "socket fail")
    assert failed.status.code == event.status.code == 2
    assert attributes(event)["error.type"] == "internal_error"
    assert attributes(span_named(receiver, "socket refuse"))["error.type"] == "no_more"
    assert span_named(receiver, "socket ask").status.code == 0
    assert children(receiver, span_named(receiver, "socket ask")) >= {"POST"}
    job = span_named(receiver, "job telemetry.fail")
    assert (attributes(job)["job.id"], attributes(job)["error.type"]) == (server.ids["id"], "RuntimeError")
    assert children(receiver, span_named(receiver, "job telemetry.ask")) >= {"POST"}
    assert receiver.resource()["deployment.environment.name"] == "staging"


def test_the_log_names_the_trace_and_health_checks_have_none(server, receiver):
    lines = [json.loads(line) for line in server.log.splitlines() if '"/api/ask"' in line]
    assert [line["trace_id"] for line in lines] == [TRACE]
    assert not [span for span in receiver.spans() if "readyz" in span.name]
    assert all(headers["x-tenant"] == "secret-tenant" for headers, _ in receiver.of("/v1/traces"))


def test_a_start_that_fails_is_told_and_one_that_nobody_thought_of_with_its_traceback(tmp_path):
    receiver = Receiver()
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db", **settings(receiver.where)}
    broken = "from chassis.boot import run, sequence; sequence.make_folder = lambda _: {}['missing']; run()"
    (tmp_path / "app.db").write_text("this is no database, and never was one" * 200)
    for command in (["-m", "chassis.boot"], ["-c", broken]):
        assert subprocess.run([sys.executable, *command], cwd=ROOT, env=env, check=False).returncode == 1
    told, raised = receiver.errors()
    assert "cannot be used" in told["logentry"]["formatted"]
    assert "restore it from a backup" in told["logentry"]["formatted"]
    assert raised["exception"]["values"][-1]["type"] == "KeyError"


@pytest.mark.long
def test_a_receiver_that_hangs_costs_no_request_and_no_stop(serve, receiver):
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:
        server = serve(command=COMMAND, **settings(f"127.0.0.1:{deaf.getsockname()[1]}"), UPSTREAM_TIMEOUT_SECONDS="1")
        assert {server.get(f"/api/fail?token={number}")[0] for number in range(150)} == {500}
        assert server.get("/api/jobs")[0] == 200

        assert server.stop() == 0
        assert "Traceback" not in "".join(line for line in server.log.splitlines() if "LookupError" not in line)


def test_the_handbook_names_the_pinned_packages():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    handbook = (ROOT / "chassis/docs/operations.md").read_text()
    assert not [pin for name in ("sentry", "otel") for pin in extras[name] if pin not in handbook]


@same_in_every_mode
def test_nothing_of_them_is_imported_while_they_are_off(tmp_path):
    code = """
import sys
from app import create_app
from chassis.db import db
from chassis.observability import tracing
app = create_app()
ours = ("sentry_sdk", "opentelemetry.exporter", "opentelemetry.sdk.trace", "chassis.observability.spans")
print([name for name in sys.modules if name.startswith(ours)])  # redis imports some of the rest
print(tracing.span("one", {}) is tracing.child("two", {}), tracing.headers(), tracing.around_events(len) is len)
"""
    env = {**CLEAN, "PYTHONPATH": "", "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[]", "True {} True"], done.stderr

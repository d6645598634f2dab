"""A library that changed is used in its own way, with one warning, and the service still serves."""

import json
import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import prometheus_client
import pytest

from chassis.extensions import socketio
from chassis.realtime import publisher, relay
from chassis.server.patches import for_eventlet, for_opentelemetry, for_prometheus, for_socketio, guard
from chassis.tests.conftest import ASYNC_MODE, CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.server.changed import change
from chassis.tests.server.conftest import Client, start

UNFIT = "does not fit a patch"
FLASK = {"_cv_request": "_cv_merged", "RequestContext": "MergedContext"}  # Flask 3.2 has neither
EVENTLET = {"_green_existing_locks": "_green_locks", "_ThreadHandle": "_Handle", "    'getaddrinfo',\n": ""}
SOCKETIO = {"_handle_eio_message": "_take_eio_message", "_generate_ack_id": "_make_ack_id"}
ALL = {
    "engineio": {"_cors_headers": "_headers_of_cors"},
    "eventlet": EVENTLET,
    "flask_socketio": {"_handle_event": "_run_handler"},
    "gunicorn": {
        "parse_chunk_size": "read_chunk_size",
        "SUPPORTED_WORKERS": "KNOWN_WORKERS",
        "_peer_trusted_for_forwarded": "_trusted_headers",
        "process_headers": "check_headers",
        "http_date(timestamp=None)": "http_date(timestamp=None, _zone=None)",
    },
    "socketio": SOCKETIO,
    "werkzeug": {"_parse_headers": "_read_headers"},
}
SAID = (
    *("_cors_headers", "parse_chunk_size", "SocketIO._handle_event"),
    *("_peer_trusted_for_forwarded", "gunicorn.util:http_date", "Response.process_headers"),
    *("_green_existing_locks", "_ThreadHandle", "socket.getaddrinfo", "MultipartDecoder._parse_headers"),
)


def lines(server) -> list[dict]:
    """Return the log lines of a server, whatever else its master wrote before there was a log."""
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def asked(server, event, *args, namespace="/"):
    """Return the answer to an event, as a client by websocket gets it."""
    client = Client()
    client.join(server.url, transports=["websocket"], namespaces=[namespace])
    try:
        return client.call(event, args or None, namespace=namespace, timeout=LIMIT_SECONDS)
    finally:
        client.disconnect()


def run(code, **env):
    command, options = [sys.executable, "-c", code], {"cwd": ROOT, "capture_output": True, "text": True}
    return subprocess.run(command, env=CLEAN | env, **options, timeout=LIMIT_SECONDS)


@pytest.mark.parametrize("library", guard.TESTED)
def test_the_installed_version_is_the_one_that_patches_were_tested_with(library):
    assert guard.TESTED[library] == metadata.version(library)


def test_what_changed_is_said_once_with_what_is_lost(caplog):
    for _ in range(3):
        assert not guard.fits("gunicorn", "Nothing is lost.", "gunicorn.config:NoSuchName")
        assert not guard.fits("gunicorn", "Little is lost.", "gunicorn.util:http_date(seconds)")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "gunicorn.config:NoSuchName" in said[0]
    assert said[1].endswith("Little is lost.")


@pytest.fixture
def serve_with(tmp_path):
    """Return a function that starts the matrix application with changed libraries: {package: {name: other name}}."""
    if ASYNC_MODE != "eventlet":
        pytest.skip("the same in every mode")
    started = []

    def begin(packages):
        env = {}
        for package, names in packages.items():
            env = change(tmp_path / "libraries", package, names)
        started.append(start(tmp_path, "fast", **env))
        return started[0].wait_ready()

    yield begin
    for server in started:
        server.stop()


@pytest.mark.server
def test_the_default_mode_serves_with_the_merged_contexts_of_flask(serve_with):
    server = serve_with({"flask": FLASK})
    assert server.get("/livez")[0] == 200
    answer = asked(server, "whoami")
    assert (answer["namespace"], answer["app"], answer["fresh"]) == ("/", "app", True)
    assert asked(server, "fails")["error"]["code"] == "internal_error"
    said = [line for line in lines(server) if UNFIT in line["event"]]
    assert [line["level"] for line in said] == ["warning"]
    assert "flask.globals:_cv_request" in said[0]["event"]


@pytest.mark.server
def test_a_service_whose_libraries_all_changed_still_serves(serve_with):
    server = serve_with(ALL)
    assert server.get("/livez")[0] == 200
    assert asked(server, "whoami")["app"] == "app"
    assert asked(server, "fails")["error"]["code"] == "internal_error", "events pass through the dispatch"
    assert asked(server, "add", 1, 2, namespace="/classy") == 3
    said = [line["event"] for line in lines(server) if UNFIT in line["event"]]
    assert [part for part in SAID if not any(part in event for event in said)] == []


@pytest.mark.server
def test_a_python_socketio_that_changed_serves_by_its_own_server(serve_with):
    server = serve_with({"socketio": SOCKETIO})
    assert asked(server, "whoami")["app"] == "app"
    said = [line["event"] for line in lines(server) if UNFIT in line["event"]]
    assert ["_generate_ack_id" in event for event in said] == [True, True]
    assert "Server._handle_eio_message" in said[1]
    assert said[1].endswith(for_socketio.OWN)


FORM = """
from io import BytesIO
from flask import Flask, request
from chassis.security.bodies import Request
app = Flask("small")
app.request_class = Request
app.add_url_rule("/", "home", lambda: request.form["a"] + request.files["f"].read().decode(), methods=["POST"])
print(app.test_client().post("/", data={"a": "1", "f": (BytesIO(b"2"), "f.txt")}).text)
"""


@pytest.mark.server
def test_forms_are_read_by_a_werkzeug_that_changed(tmp_path):
    ran = run(FORM, **change(tmp_path, "werkzeug", ALL["werkzeug"]))
    assert ran.stdout == "12\n", ran.stderr
    assert ran.stderr.count(UNFIT) == 1


def test_without_a_channel_of_our_own_events_go_out_by_the_librarys(monkeypatch):
    sent = []
    monkeypatch.setattr(relay, "numbers", lambda: False)
    monkeypatch.setattr(socketio, "emit", lambda *args, **options: sent.append((args, options)))
    publisher.publish("room", "news", {"a": 1})
    assert sent == [(("news", {"a": 1}), {"to": "room"})]


def test_metrics_are_read_alike_when_their_library_changed(monkeypatch):
    counter = prometheus_client.Counter("count", "-", ["kind"], registry=None)
    histogram = prometheus_client.Histogram("length", "-", ["kind"], buckets=(1, 2), registry=None)
    plain = prometheus_client.Gauge("level", "-", registry=None)
    for kind, number in (("a", 1), ("b", 2), ("c", 3)):
        counter.labels(kind).inc(number)
        histogram.labels(kind).observe(number)
    plain.set(7)

    def read():
        values = [
            for_prometheus.value(counter, lambda labels: labels != ("b",)),
            for_prometheus.value(plain, lambda _: True),
        ]
        return values, for_prometheus.buckets(histogram)

    assert for_prometheus.fits()
    before = read()
    monkeypatch.setattr(for_prometheus, "fits", lambda: False)
    assert read() == before


def test_spans_are_sent_at_the_end_by_an_sdk_that_changed(caplog):
    ended = []
    for_opentelemetry.shut_down(SimpleNamespace(shutdown=lambda: ended.append(True)), 1.0)
    assert ended == [True]
    assert UNFIT in caplog.text


@pytest.mark.server
def test_the_log_says_once_that_eventlet_is_discouraged(serve_with):
    server = serve_with({})
    assert [line["level"] for line in lines(server) if line["event"] == for_eventlet.DEPRECATED] == ["info"]
    assert "strongly recommend against" not in server.log

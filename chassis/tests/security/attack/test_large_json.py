"""JSON of several MB holds up nobody, whoever sends it: a client of a gateway, or an API that answers it."""

import ipaddress
import threading
import time
import tracemalloc
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from flask import Flask

from chassis.base import Unread, json_length, json_members, partial_json
from chassis.errors import AppError
from chassis.tests.security.attack.ceiling.limits import HOLD_MS, MB
from chassis.tests.security.attack.ceiling.values import json_texts
from chassis.upstream import Wire, list_models
from chassis.upstream.connections import WireLimits
from chassis.upstream.relayed import Failed, Relayed
from chassis.web import openai_request

SIZE = 2_000_000
HERE = (ipaddress.ip_network("127.0.0.0/8"),)
VALUES = {
    **json_texts(SIZE),
    "escaped quotes": b'"' + b'\\"' * (SIZE // 2) + b'"',
    "empty texts": b"[" + b'"",' * (SIZE // 3) + b"1]",
    "texts and numbers": b"[" + b'"a"1' * (SIZE // 4) + b"1]",
    "a text without an end": b'["' + b"\\\\" * (SIZE // 2),
}
BUILT = ["lists", "objects", "a hundred deep", "many names", "numbers"]
HELD = [
    b'{"n": %b}',  # a member that nobody asks for
    b'{"error": %b, "usage": {}}',  # one that is asked for
]


class Watched(partial_json.Turns):
    """Turns that note how long each piece of work took, and when the last one ended."""

    longest = last = 0.0

    def give(self):
        now = time.thread_time()
        Watched.longest, Watched.last = max(Watched.longest, now - Watched.last), now


@pytest.mark.parametrize("around", HELD)
@pytest.mark.parametrize("name", VALUES)
def test_no_value_holds_the_hub(monkeypatch, name, around):
    monkeypatch.setattr(partial_json, "Turns", Watched)
    text = (around % VALUES[name]).decode()
    Watched.longest, Watched.last = 0.0, time.thread_time()
    with suppress(ValueError):
        json_members(text, ("error", "usage"))
    assert max(Watched.longest, time.thread_time() - Watched.last) * 1000 < HOLD_MS


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    """Return a function that starts an API with one answer, and returns the connections to it."""
    started = []

    def start(body, status=200):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.body, server.status = body, status
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        started.append(server)
        return Wire(f"http://127.0.0.1:{server.server_address[1]}", "", HERE)

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


def built_mb(work):
    """Return the MB that Python allocates at once for work, which may be refused."""
    tracemalloc.start()
    try:
        with suppress(AppError, Failed):
            work()
        return tracemalloc.get_traced_memory()[1] / 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("name", BUILT)
def test_an_answer_that_is_passed_on_is_not_built(api, name, status):
    member = SimpleNamespace(wire=api(b'{"choices": %b}' % VALUES[name], status))
    answer, limits = Relayed(member, lambda *_: None), WireLimits(60, 60, lambda: False)
    assert built_mb(lambda: answer.begin("/x", b"{}", limits)) < MB


@pytest.mark.parametrize("name", BUILT)
def test_a_request_that_is_passed_on_is_not_built(name):
    body = b'{"model": "m", "stream": true, "messages": %b}' % VALUES[name]
    with Flask("gateway").test_request_context(method="POST", data=body, content_type="application/json"):
        assert built_mb(lambda: openai_request().body(adds_usage=True)) < MB


@pytest.mark.parametrize("body", [b'{"data": [' + one * (990_000 // len(one)) + b"0]}" for one in (b"0,", b"[],")])
def test_a_list_of_models_is_given_up_at_its_first_mistake(api, body):
    wire, began = api(body), time.thread_time()
    assert list_models(wire, 60)[0] == []
    assert (time.thread_time() - began) * 1000 < HOLD_MS


def test_only_the_asked_members_are_read():
    text = ' {"a" : [1,{"b":"]}"}], "c":"x\\"]","d":-1.5e3 ,"e":{}, "f": nonsense }\n'
    found = {"a": [1, {"b": "]}"}], "c": 'x"]', "d": -1500.0, "e": {}}
    assert json_members(text, ("a", "c", "d", "e", "z")) == found
    assert json_members("{}", ("a",)) == {}
    long = '"' + "x" * 60_000 + '"'
    assert json_members(f'{{"a":{long}}}', ("a",)) == {"a": Unread(long)}
    assert [json_length(one) for one in ("[]", "[1]", ' [[1,2], "]" ,{}] ')] == [0, 1, 3]


NO_OBJECTS = (
    *("", "[]", "1", "{", '{"a"}', '{"a":}', '{"a":1', '{"a":1}x', '{"a":[}', '{"a":"b}', "{a:1}", "\ufeff{}"),
    *('{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":nonsense}', '{"a":' + "[" * 20_000 + "]" * 20_000 + "}"),
    "{" + ",".join(f'"{number}":1' for number in range(1_001)) + "}",
)


@pytest.mark.parametrize("text", NO_OBJECTS, ids=range(len(NO_OBJECTS)))
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match=r"^(it |something |Expecting|. is missing)"):
        json_members(text, ("a",))

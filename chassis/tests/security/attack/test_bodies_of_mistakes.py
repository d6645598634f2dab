"""A body that is nothing but mistakes costs little: it is small, or it is read in pieces."""

import io
import time
import tracemalloc
from types import SimpleNamespace

import pytest
from flask import Flask, request
from pydantic import BaseModel

from chassis.errors import AppError, PayloadTooLarge
from chassis.security import bodies
from chassis.web.body import MAX_MODEL_BYTES, json_body, json_text
from chassis.wiring import wire

BYTES = 2_000_000  # MAX_JSON_BYTES


class Listed(BaseModel):
    """What is wrong in each of its places."""

    ids: list[str]
    named: dict[str, str] = {}


BODIES = {
    "numbers": b'{"ids": [%b1]}' % (b"1," * (BYTES // 2 - 20)),
    "lists": b'{"ids": [%b1]}' % (b"[]," * (BYTES // 3 - 20)),
    "deep lists": b'{"ids": [%b1]}' % ((b"[" * 100 + b"]" * 100 + b",") * (BYTES // 201 - 20)),
    "names": b'{"named": {%b"a":1}}' % b"".join(b'"%d":1,' % number for number in range(BYTES // 12)),
}


def refused(body: bytes, read) -> AppError:
    app = Flask("small")
    wire(app, SimpleNamespace(max_json_bytes=BYTES))
    with app.test_request_context(data=body, content_type="application/json"), pytest.raises(AppError) as raised:
        read()
    return raised.value


@pytest.mark.parametrize("name", BODIES)
def test_a_large_body_of_mistakes_is_not_looked_at(name):
    tracemalloc.start()
    try:
        error = refused(BODIES[name], lambda: json_body(Listed))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(error, PayloadTooLarge)
    assert f"{MAX_MODEL_BYTES:,}" in error.message
    assert peak < 1_000_000


@pytest.mark.parametrize("part", [b"1,", b"[],", b"{},"])
def test_a_small_one_costs_in_proportion(part):
    def seconds(size: int) -> float:
        body = b'{"ids": [%b1]}' % (part * (size // len(part)))
        return min(once(body) for _ in range(5))  # the garbage collector comes when it likes

    def once(body: bytes) -> float:
        began = time.thread_time()
        assert refused(body, lambda: json_body(Listed)).status == 400
        return time.thread_time() - began

    assert seconds(60_000) < 4 * seconds(30_000) + 0.1


@pytest.fixture
def small():
    """An application whose only route, `read` of it, takes much."""
    app = Flask("small")
    app.testing = True  # errors come to the test
    wire(app, SimpleNamespace(max_json_bytes=BYTES, max_body_bytes=MAX_MODEL_BYTES))
    bodies.install(app)
    view = bodies.takes({bodies.JSON: "max_json_bytes", bodies.FILES: 10_000_000})(lambda: app.read())
    app.add_url_rule("/", "read", view, methods=["POST"])
    return app


def test_text_that_is_read_in_pieces_has_the_limit_of_json(small):
    small.read = json_text
    with pytest.raises(PayloadTooLarge):
        small.test_client().post("/", data=b"1" * (BYTES + 1), content_type="application/json")
    assert len(small.test_client().post("/", data=b"1" * BYTES, content_type="application/json").text) == BYTES
    assert refused(b"\xff", json_text).code == "invalid_body"


def test_others_run_while_a_form_is_parsed_that_has_arrived_already(small, monkeypatch):
    small.read, turns = lambda: str(request.files["file"].seek(0, 2)), []
    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=turns.append)
    monkeypatch.setattr("chassis.base.concurrency.time", clock)
    monkeypatch.setattr("chassis.base.concurrency.PIECE_SECONDS", 0)
    sent = {"file": (io.BytesIO(b"a\n" * 2_000_000), "a.csv")}
    assert small.test_client().post("/", data=sent).text == "4000000"
    assert len(turns) > 50

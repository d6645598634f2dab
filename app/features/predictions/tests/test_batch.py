"""Whole batches on a real server, against a local OpenAI-compatible server or the demo."""

import csv
import io
import json
import os
import signal
import time

import pytest
from pydantic import SecretStr

from app import create_app
from app.features.predictions.settings import PredictionSettings
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import new_database, same_in_every_mode
from chassis.tests.patience import LIMIT_SECONDS

ENDED = ("succeeded", "failed", "cancelled", "interrupted")


def ask(server, rows, prompt="say {n}", name="batch"):
    status, made = server.post("/api/predictions", {"name": name, "prompt": prompt, "rows": rows})
    assert status == 202, made
    return made


def ended(server, wait_for, made):
    return wait_for(lambda: (b := server.json(f"/api/predictions/{made['id']}"))["status"] in ENDED and b)


def keys_of(upstream):
    return {"UPSTREAM_BASE_URL": upstream.url, "OPENROUTER_API_KEY": "sk-local-12345678"}


@pytest.fixture
def real(shared_with, upstream):
    """A server that asks the local upstream, for all tests: each has prompts of its own, so that none is known yet."""
    settings = {"UPSTREAM_REQUESTS_PER_SECOND": "50", "UPSTREAM_MAX_RETRIES": "1"}
    return shared_with(**keys_of(upstream), **settings, DATABASE_SLOW_QUERY_SECONDS="0.000001")


@pytest.fixture
def own(serve, fake_upstream):
    """Return a function that starts a server with settings of the test's own: (server, upstream)."""

    def start(**env):
        upstream = fake_upstream()
        keys = {"UPSTREAM_BASE_URL": upstream.base_url, "OPENROUTER_API_KEY": "sk-local-12345678"}
        return serve(**keys, **env), upstream

    return start


def numbers(count):
    return [{"n": f"{i}"} for i in range(count)]


@same_in_every_mode  # the pace itself is tested in each
def test_a_hundred_rows_at_fifty_a_second_keep_their_pace_and_are_all_right(real, upstream, wait_for):
    upstream.latency = 0.2
    started = time.monotonic()
    batch = ended(real, wait_for, made := ask(real, numbers(100), "pace {n}"))
    assert time.monotonic() - started > 1.9
    assert upstream.stats.max_in_flight > 1, "not one after the other"
    assert (batch["status"], batch["done"], batch["failed"]) == ("succeeded", 100, 0)
    lines = list(csv.DictReader(io.StringIO(real.get(f"/api/predictions/{made['id']}/results.csv")[1])))
    assert [line["output"] for line in lines] == [f"echo: pace {i}" for i in range(100)]
    assert list(lines[0]) == ["n", "output", "status", "error"]
    assert len(json.loads(real.get(f"/api/predictions/{made['id']}/results.json")[1])) == 100
    assert len(upstream.stats.starts) == 100


def test_a_killed_worker_loses_no_finished_row_and_none_is_asked_again(serve, upstream, wait_for):
    upstream.hold_after(30)
    pace = {"UPSTREAM_REQUESTS_PER_SECOND": "50", "UPSTREAM_MAX_CONCURRENT_REQUESTS": "8"}
    server = serve(**keys_of(upstream), JOB_LEASE_SECONDS="600", **pace)
    made = ask(server, numbers(100))
    wait_for(lambda: server.json(f"/api/predictions/{made['id']}")["done"] >= 20)
    os.kill(server.workers()[0], signal.SIGKILL)

    def interrupted():
        status, text = server.get(f"/api/predictions/{made['id']}")
        return status == 200 and json.loads(text)["status"] == "interrupted" and json.loads(text)

    batch = wait_for(interrupted)  # which is not as long as its lease
    rows = server.json(f"/api/predictions/{made['id']}/rows?limit=500")["items"]
    finished = [row for row in rows if row["status"] == "succeeded"]
    assert len(finished) == batch["done"] >= 20
    upstream.release()
    assert server.post(f"/api/predictions/{made['id']}/requeue")[0] == 202
    assert ended(server, wait_for, made)["done"] == 100
    prompts = upstream.stats.prompts
    assert [prompts.count(f"say {row['input']['n']}") for row in finished] == [1] * len(finished)


def test_a_batch_is_cancelled_and_continued(real, upstream, wait_for):
    upstream.hold_after(10)
    made = ask(real, numbers(60), "stop {n}")
    wait_for(lambda: real.json(f"/api/predictions/{made['id']}")["done"] >= 3)
    path = f"/api/predictions/{made['id']}"
    assert real.post(f"{path}/requeue")[0] == 409
    assert real.post(f"{path}/cancel")[0] == 200
    wait_for(lambda: real.json(path)["status"] == "cancelled")
    assert real.json(path)["done"] < 60
    assert real.post(f"{path}/cancel")[0] == 409
    upstream.release()
    assert real.post(f"{path}/requeue")[0] == 202
    assert ended(real, wait_for, made)["done"] == 60


def test_bad_rows_fail_alone_and_can_be_asked_again(real, wait_for):
    made = ask(real, [{"n": "good"}, {"n": "[400]"}, {"n": "[malformed]"}, {"n": "[500x1]"}], "bad {n}")
    batch = ended(real, wait_for, made)
    assert (batch["status"], batch["done"], batch["failed"]) == ("succeeded", 4, 2)
    assert real.post(f"/api/predictions/{made['id']}/requeue")[0] == 409
    assert real.post(f"/api/predictions/{made['id']}/requeue", {"failed": True})[0] == 202
    assert ended(real, wait_for, made)["failed"] == 2


def test_a_wrong_key_fails_the_batch_with_the_variable_to_check(real, upstream, wait_for):
    batch = ended(real, wait_for, ask(real, [{"n": "[401]"}] * 50))
    assert batch["status"] == "failed"
    assert "OPENROUTER_API_KEY" in batch["message"]
    assert len(upstream.stats.starts) < 50
    assert ended(real, wait_for, ask(real, numbers(1), "good key {n}"))["status"] == "succeeded"


def test_an_answer_that_cannot_be_kept_as_it_is_concerns_its_own_row_alone(own, wait_for):
    server, upstream = own(PREDICTION_MAX_PROMPT_CHARACTERS="1000")
    rows = [
        {"n": n} for n in ("good", "[surrogate]", "[cut]", "[filtered]", "[large]", "x" * 2_000, "[refused]", "too")
    ]
    batch = ended(server, wait_for, made := ask(server, rows))
    assert (batch["status"], batch["done"], batch["failed"]) == ("succeeded", 8, 5)
    found = server.json(f"/api/predictions/{made['id']}/rows")["items"]
    assert [row["status"][0] for row in found] == list("ssfffffs")
    assert found[1]["output"] == "echo: bad \ufffd end\ufffd"
    assert found[1]["model"].endswith("bad \ufffd end")
    assert "replaced" in found[1]["error"]
    assert found[2]["output"] == "echo: say [cut]"
    reasons = ("cut off", "filter", "2,000,000 bytes", "2,004 characters", "bad \ufffd end")
    for row, words in zip(found[2:7], reasons, strict=True):
        assert words in row["error"]
    asked = upstream.stats()["requests"]
    assert ended(server, wait_for, ask(server, rows))["failed"] == 5
    assert upstream.stats()["requests"] == asked + 5, "only the two good answers are kept for reuse"
    assert server.post(f"/api/predictions/{made['id']}/requeue", {"failed": True})[0] == 202
    assert ended(server, wait_for, made)["failed"] == 5


def test_an_account_without_credit_stops_the_batch_which_goes_on_later(own, wait_for):
    server, upstream = own(UPSTREAM_MAX_CONCURRENT_REQUESTS="4")
    upstream.refuse(402)
    batch = ended(server, wait_for, made := ask(server, numbers(100)))
    assert (batch["status"], batch["done"]) == ("failed", 0)
    assert "100 rows were not attempted" in batch["message"]
    assert "credit" in batch["message"]
    assert upstream.stats()["requests"] <= 4
    upstream.refuse(None)
    assert server.post(f"/api/predictions/{made['id']}/requeue")[0] == 202
    assert ended(server, wait_for, made)["done"] == 100


@pytest.mark.parametrize(("number", "words"), [(1, "404). It says: not now. 1 row was"), (100, "100 rows were")])
def test_a_model_that_is_not_there_stops_the_batch(own, wait_for, number, words):
    server, upstream = own(UPSTREAM_MAX_CONCURRENT_REQUESTS="4")
    upstream.refuse(404)
    batch = ended(server, wait_for, ask(server, numbers(number)))
    assert (batch["status"], batch["done"]) == ("failed", 0)
    assert f"{words} not attempted" in batch["message"].replace("; check UPSTREAM_MODEL and UPSTREAM_BASE_URL", "")
    assert upstream.stats()["requests"] <= 4


def test_every_line_that_a_row_logs_carries_the_jobs_id(real, wait_for):
    before = len(real.log)
    made = ask(real, numbers(3), "log {n}")
    ended(real, wait_for, made)
    written = real.log[before:].splitlines()
    lines = [json.loads(line) for line in written if "slow_query" in line and "UPDATE rows" in line]
    lines = lines or [json.loads(line) for line in written if "UPDATE prediction" in line]
    assert lines
    assert {line.get("job_id") for line in lines} == {made["job_id"]}


def test_the_same_prompt_is_answered_from_the_cache(real, upstream, wait_for):
    before = real.metric("prediction_cache_lookups_total")
    ended(real, wait_for, ask(real, numbers(10), "again {n}"))
    ended(real, wait_for, again := ask(real, numbers(10), "again {n}"))
    assert len(upstream.stats.starts) == 10
    assert all(row["cached"] for row in real.json(f"/api/predictions/{again['id']}/rows")["items"])
    assert real.metric("prediction_cache_lookups_total") - before == 20


def test_the_demo_answers_without_a_key_and_is_never_cached(shared, wait_for):
    assert shared.json("/api/predictions/config")["demo"] is True
    for _ in range(2):
        ended(shared, wait_for, made := ask(shared, numbers(3)))
        rows = shared.json(f"/api/predictions/{made['id']}/rows")["items"]
        assert [(row["model"], row["cached"]) for row in rows] == [("demo", False)] * 3


@same_in_every_mode
def test_in_production_nothing_answers_without_a_key_unless_the_demo_is_wanted(in_production):
    client = in_production()
    answer = client.post("/api/predictions/example")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "predictor_missing")
    assert client.get("/api/predictions").json["total"] == 0
    assert in_production(demo_predictor=True).post("/api/predictions/example").status_code == 202


@pytest.fixture
def in_production(tmp_path):
    """Return a function that makes the application as it is in production, but open to all: a client of it."""
    url = SecretStr(new_database(tmp_path))

    def make(**own):
        secret = "k3" * 7 + "Qz8vN1mX5tR7wY2bC4dF6gH9"
        settings = Settings(app_env="production", database_url=url, secret_key=secret, require_client_api_key=False)
        settings._sections[PredictionSettings] = PredictionSettings(**own)
        return create_app(settings).test_client()

    yield make
    db.close()


def stored(server):
    """Return how many batches and jobs there are."""
    return [server.json(path)["total"] for path in ("/api/predictions", "/api/jobs")]


def test_mistakes_store_nothing(shared):
    server = shared
    before = stored(server)
    bad = [
        {"prompt": "{x}", "rows": [{"n": "1"}]},
        {"prompt": "", "rows": [{"n": "1"}]},
        {"prompt": "x", "rows": []},
        {"prompt": "x", "rows": [{"n": {"deep": 1}}]},
        [],
    ]
    for body in bad:
        status, answer = server.post("/api/predictions", body)
        assert status == 400
        assert answer["error"]["message"]
    json_type = {"Content-Type": "application/json"}
    half_surrogate = b'{"prompt": "{n}", "rows": [{"n": "\\ud800"}]}'
    null_character = b'{"prompt": "{n}", "rows": [{"n": "a\\u0000b"}]}'
    for raw in (b"[" * 100_000, b"{", b"", b"\xff", half_surrogate, null_character):
        status, text = server.request("POST", "/api/predictions", raw, json_type)
        assert (status, json.loads(text)["error"]["code"]) == (400, "invalid_body")
        assert "NewBatch" not in text
    assert stored(server) == before
    assert server.get("/api/predictions/none")[0] == 404


def test_results_reach_every_viewer_ten_times_a_second_at_most(real, upstream, wait_for):
    import socketio

    upstream.latency = 0.02
    viewers = []
    for _ in range(2):
        viewer = socketio.Client(request_timeout=LIMIT_SECONDS)
        viewer.seen = []
        viewer.on("prediction:results", lambda data, v=viewer: v.seen.append((time.monotonic(), data)))
        viewer.connect(real.url, wait_timeout=LIMIT_SECONDS)
        viewers.append(viewer)
    began = time.monotonic()
    made = ask(real, numbers(100), "see {n}")
    for viewer in viewers:
        assert viewer.call("job:subscribe", {"id": made["job_id"]})["ok"]
    ended(real, wait_for, made)
    for viewer in viewers:
        wait_for(lambda v=viewer: v.seen and v.seen[-1][1]["upto"] == 100)
        times = [at for at, _ in viewer.seen]
        assert 1 < len(times) <= (times[-1] - began) * 10 + 1
        numbers_seen = [row["finish_no"] for _, data in viewer.seen for row in data["rows"]]
        first = viewer.seen[0][1]["after"]
        assert numbers_seen == list(range(first + 1, 101))
        viewer.disconnect()


def test_a_form_with_a_file_or_with_lines_is_taken(shared):
    boundary = "x" * 20

    def form(**parts):
        body = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{text}\r\n'
            for name, (text, extra) in parts.items()
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return shared.request("POST", "/api/predictions", f"{body}--{boundary}--\r\n".encode(), headers)

    status, text = form(prompt=("{a}", ""), file=("a,b\n1,2\n", '; filename="my rows.csv"'))
    assert status == 202
    assert shared.json(f"/api/predictions/{json.loads(text)['id']}")["name"] == "my rows"
    assert form(prompt=("{text}", ""), lines=("one\ntwo", ""))[0] == 202
    assert form(prompt=("{a}", ""))[0] == 400


def test_ten_thousand_rows_are_taken_and_listed_in_pages(shared, wait_for):
    made = ask(shared, numbers(10_000))
    rows = shared.json(f"/api/predictions/{made['id']}/rows?offset=9990&limit=200")
    assert (rows["total"], [r["position"] for r in rows["items"]]) == (10_000, list(range(9990, 10_000)))
    assert shared.post("/api/predictions", {"prompt": "x", "rows": numbers(10_001)})[0] == 400
    assert shared.post(f"/api/predictions/{made['id']}/cancel")[0] == 200
    assert ended(shared, wait_for, made)["status"] == "cancelled"


@same_in_every_mode
def test_the_api_key_is_rotated_by_sighup_without_a_restart(serve, upstream, wait_for, tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-first-12345678")
    server = serve(UPSTREAM_BASE_URL=upstream.url, OPENROUTER_API_KEY_FILE=str(key))
    ended(server, wait_for, ask(server, numbers(1)))
    key.write_text("sk-second-12345678")
    worker = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: server.workers() != worker and len(server.workers()) == 1)
    ended(server, wait_for, ask(server, [{"n": "another"}]))
    assert upstream.stats.keys == ["sk-first-12345678", "sk-second-12345678"]
    assert "sk-first" not in server.log

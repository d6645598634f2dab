"""Batches against a local upstream, with crashes: their pace, their rows and their key."""

import csv
import io
import json
import os
import signal
import time

from app.features.predictions.tests.batches import ask, ended, keys_of, numbers
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.patience import LIMIT_SECONDS


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


def test_a_batch_whose_rows_all_got_their_answers_during_a_stop_has_succeeded(serve, upstream, wait_for):
    upstream.hold_after(0)
    server = serve(**keys_of(upstream), UPSTREAM_MAX_CONCURRENT_REQUESTS="4")
    made = ask(server, numbers(4), "grace {n}")
    wait_for(lambda: len(upstream.stats.starts) == 4)
    os.kill(server.pid, signal.SIGTERM)
    wait_for(lambda: "clients away" in server.log)
    upstream.release()
    server.process.wait(LIMIT_SECONDS)
    server.start()
    server.wait_ready()
    batch = server.json(f"/api/predictions/{made['id']}")
    assert (batch["status"], batch["done"], batch["message"]) == ("succeeded", 4, "")
    assert len(upstream.stats.starts) == 4


def test_a_reload_interrupts_no_batch_and_the_next_worker_goes_on_with_it(serve, upstream, wait_for):
    upstream.hold_after(10)
    server = serve(**keys_of(upstream), UPSTREAM_MAX_CONCURRENT_REQUESTS="4", JOBS_GRACE_SECONDS="0.5")
    made = ask(server, numbers(30), "reload {n}")
    batch = wait_for(lambda: (now := server.json(f"/api/predictions/{made['id']}"))["done"] >= 10 and now)
    worker = server.workers()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(lambda: "job_requeued" in server.log)
    upstream.release()
    wait_for(lambda: server.workers() != worker and len(server.workers()) == 1)
    assert ended(server, wait_for, made)["status"] == "succeeded"
    assert server.json(f"/api/jobs/{made['job_id']}")["attempt"] == 1
    prompts = upstream.stats.prompts
    assert all(prompts.count(f"reload {n}") == 1 for n in range(batch["done"]))
    assert "interrupted" not in server.log


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

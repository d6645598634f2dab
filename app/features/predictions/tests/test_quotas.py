"""What a key may have of batches: how many, of how many rows and bytes, from how many files."""

import json
import secrets
from dataclasses import replace

import pytest

from app.features.predictions import jobs as _kinds  # noqa: F401
from app.features.predictions import store
from app.features.predictions.store import Answer
from chassis.db import db
from chassis.jobs import new_job
from chassis.jobs import store as jobs_store
from chassis.settings import Settings
from chassis.tests.conftest import new_database
from chassis.tests.security.conftest import ask as browse

COUNTED, UNUSED, FULL, TIMED = (secrets.token_hex(24) for _ in range(4))  # each test uses up the quotas of its own keys
LIMITS = {
    "REQUIRE_CLIENT_API_KEY": "true",
    "CLIENT_API_KEYS": ",".join([COUNTED, UNUSED, FULL, TIMED]),
    "QUOTA_BATCHES_PER_DAY": "5",
    "QUOTA_ROWS_PER_DAY": "20",
    "QUOTA_STORED_BYTES": "1000",
    "QUOTA_UPLOADS_PER_DAY": "1",
    "QUOTA_JOBS": "3",
}
FORM = "multipart/form-data; boundary=x"
CSV = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n{a}?\r\n--x\r\nContent-Disposition: form-data; ' + (
    b'name="file"; filename="a.csv"\r\n\r\na\n1\n\r\n--x--\r\n'
)


@pytest.fixture
def server(shared_with):
    return shared_with(JOBS_EMBEDDED="false", DEMO_PREDICTOR="true", **LIMITS)


def ask(server, key, method="GET", path="/api/usage", body=None, kind="application/json"):
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    status, text = server.request(method, path, data, {"X-API-Key": key, "Content-Type": kind})
    return status, json.loads(text)


def submit(server, key, rows, value="1"):
    return ask(server, key, "POST", "/api/predictions", {"prompt": "{a}?", "rows": [{"a": value}] * rows})


def left(server, key):
    return {one["name"]: one["left"] for one in ask(server, key)[1]["items"]}


def test_a_key_is_told_what_is_left_and_refused_what_is_over(server):
    everything = left(server, COUNTED)
    limits = {"prediction_batches": 5, "prediction_rows": 20, "stored_bytes": 1000, "uploads": 1, "jobs": 3}
    assert everything == limits
    assert submit(server, COUNTED, 8)[0] == 202
    stored = 1000 - left(server, COUNTED)["stored_bytes"]
    assert stored == len("{a}?") + 8 * len("a1")
    status, answer = submit(server, COUNTED, 13)
    assert (status, answer["error"]["code"]) == (429, "quota_exceeded")
    assert answer["error"]["details"] == {"quota": "prediction_rows", "limit": 20, "used": 8, "left": 12, "needed": 13}
    assert submit(server, COUNTED, 2, "x" * 600)[0] == 507
    assert left(server, COUNTED) == limits | {
        "prediction_batches": 4,
        "prediction_rows": 12,
        "stored_bytes": 1000 - stored,
        "jobs": 2,
    }
    assert left(server, UNUSED) == everything


def test_files_and_jobs_at_once_are_counted_and_retry_after_is_there_where_time_helps(server):
    assert ask(server, FULL, "POST", "/api/predictions", CSV, FORM)[0] == 202
    status, answer = ask(server, FULL, "POST", "/api/predictions", CSV, FORM)
    assert (status, answer["error"]["details"]["quota"]) == (429, "uploads")
    assert [submit(server, FULL, 1)[0] for _ in range(2)] == [202, 202]
    status, answer = submit(server, FULL, 1)
    assert (status, answer["error"]["details"]["quota"]) == (429, "jobs")
    listed = ask(server, FULL, path="/api/predictions")[1]["items"]
    assert ask(server, FULL, "POST", f"/api/predictions/{listed[0]['id']}/cancel")[0] == 200
    assert submit(server, FULL, 1)[0] == 202


def test_retry_after_says_when_the_day_ends(server):
    answer = browse(server, "/api/predictions/example", "POST", X_API_Key=TIMED)
    assert (answer.status, answer.json["error"]["details"]["quota"]) == (429, "prediction_rows")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400


def test_answers_are_stored_too_and_what_is_asked_again_or_deleted_no_more(tmp_path):
    db.open(Settings(database_url=new_database(tmp_path)))
    job = replace(new_job("predictions", {}), submitted_by="ada@example.org")
    batch = {"id": job.id, "job_id": job.id, "name": "n", "prompt": "{a}", "columns": ["a"], "model": "m"}
    batch |= {"created_at": 0.0, "stored_bytes": 100}

    def write(conn):
        jobs_store.insert(conn, job)
        store.insert(conn, batch, [{"a": "1"}] * 2)
        answers = [(0, Answer(store.SUCCEEDED, output="Grüße")), (1, Answer(store.FAILED, output="ü", error="no"))]
        store.finish_rows(conn, job.id, answers, 0.0)
        full = store.stored_bytes(conn, "ada@example.org")
        store.forget_failures(conn, job.id)
        less = store.stored_bytes(conn, "ada@example.org")
        jobs_store.cancel_queued(conn, job.id, 1.0)
        store.delete_old(conn, 2.0, 100)
        return full, less, store.stored_bytes(conn, "ada@example.org")

    try:
        assert db.write(write) == (100 + 7 + 4, 100 + 7, 0)
    finally:
        db.close()

"""What is taken as a batch, what is refused, and what viewers get of one."""

import json
import time

import pytest
from pydantic import SecretStr

from app import create_app
from app.features.predictions.settings import PredictionSettings
from app.features.predictions.tests.batches import ask, ended, numbers
from chassis.db import db
from chassis.settings import Settings
from chassis.tests.conftest import new_database, same_in_every_mode
from chassis.tests.patience import LIMIT_SECONDS


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


def test_results_reach_every_viewer_twenty_times_a_second_at_most(real, upstream, wait_for):
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
        assert 1 < len(times) <= (times[-1] - began) * 20 + 1
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

"""A row that fails does so alone, and what concerns all rows stops the batch."""

import pytest

from app.features.predictions.tests.batches import ask, ended, numbers


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

"""Questions and documents are paid from the budget of a key, which cannot be overspent."""

import concurrent.futures
import json
from collections import Counter

from app.features.chat.tests.talks import KETTLE, answered, ask, conversation, question, read, upload
from chassis.tests.files.pdfs import pdf
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import CLIENT, GUARDED

MONEY = {
    **GUARDED,
    "PRICE_PER_MTOK_INPUT": "1",
    "PRICE_PER_MTOK_OUTPUT": "1",
    "PRICE_PER_MTOK_INDEX": "1",
    "CHAT_ANSWER_TOKENS": "20",
    "MAX_CONCURRENT_STREAMS": "500",
    "UPSTREAM_MAX_CONCURRENT_REQUESTS": "200",
}
AT_ONCE = 200


def usage(server):
    return json.loads(server.get("/api/usage", {"X-API-Key": CLIENT})[1])


def test_what_would_exceed_the_budget_is_refused_before_it_begins(own):
    server, upstream = own(**MONEY, BUDGET_PER_KEY="0.001")
    asked = conversation(server, CLIENT)
    refused = ask(server, "POST", f"/conversations/{asked}/messages", {"text": "x" * 2_000}, key=CLIENT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exceeded")
    assert refused.json()["error"]["details"]["left"] == 1_000
    large = upload(server, ("large.txt", b"x" * 2_000), key=CLIENT)
    assert (large.status_code, large.json()["error"]["code"]) == (402, "budget_exceeded")
    assert ask(server, "GET", "/documents", key=CLIENT).json()["total"] == 0
    assert upstream.stats()["requests"] == 0
    (document,) = read(server, ("kettle.md", KETTLE), key=CLIENT)
    assert document["status"] == "ready"
    question(server, asked, "short", key=CLIENT)
    assert answered(server, asked, CLIENT)["status"] == "done"
    (spent,) = usage(server)["budgets"]
    assert 0 < spent["spent"] < 1_000
    assert spent["reserved"] == 0
    assert {row["model"]: row["index_tokens"] > 0 for row in usage(server)["models"]} == {
        "openai/text-embedding-3-small": True,
        "openai/gpt-4o-mini": False,
    }


def test_many_questions_at_once_do_not_overspend(own):
    server, upstream = own(**MONEY, BUDGET_PER_KEY="0.004", CHAT_EMBEDDING_MODEL="built-in")
    talks = [conversation(server, CLIENT) for _ in range(AT_ONCE)]

    def one(place):
        return ask(server, "POST", f"/conversations/{place}/messages", {"text": "words " * 20}, key=CLIENT).status_code

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(one, talks))
    assert set(statuses) <= {202, 402}
    begun = [place for place, status in zip(talks, statuses, strict=True) if status == 202]
    answers = [answered(server, place, CLIENT) for place in begun]
    assert {answer["status"] for answer in answers} <= {"done", "failed"}
    done = sum(answer["status"] == "done" for answer in answers)
    assert 0 < done < AT_ONCE
    reasons = Counter(answer["error"] for answer in answers)
    assert upstream.stats()["requests"] == done, reasons
    (spent,) = wait_until(lambda: (found := usage(server)["budgets"]) and not found[0]["reserved"] and found)
    assert spent["spent"] <= spent["limit"] == 4_000
    failed = next(answer for answer in answers if answer["status"] == "failed") if len(begun) > done else None
    assert failed is None or "monthly budget of this key" in failed["error"]


def test_a_document_whose_text_costs_more_than_is_left_fails_once(own):
    server, upstream = own(**MONEY, BUDGET_PER_KEY="0.025")
    texts = [f"Page {number}. {'word ' * 200}" for number in range(120)]
    (document,) = read(server, ("book.pdf", pdf(*texts)), key=CLIENT)
    assert (document["status"], document["passages"]) == ("failed", 0)
    assert "monthly budget of this key" in document["error"]
    assert document["error"].count("It renews") == 1
    called = upstream.stats()["requests"]
    assert called > 1
    (spent,) = usage(server)["budgets"]
    assert (spent["spent"] <= 25_000, spent["reserved"]) == (True, 0)
    asked = conversation(server, CLIENT)
    question(server, asked, "x", key=CLIENT)
    assert answered(server, asked, CLIENT)["sources"] == []
    assert upstream.stats()["requests"] <= called + 2


def test_mock_mode_costs_nothing_also_with_a_key(own):
    server, upstream = own(**MONEY, BUDGET_PER_KEY="0.000001", CHAT_MOCK="true")
    read(server, ("kettle.md", KETTLE * 10), key=CLIENT)
    asked = conversation(server, CLIENT)
    question(server, asked, "warranty of the kettle", key=CLIENT)
    assert answered(server, asked, CLIENT)["model"] == "mock"
    assert upstream.stats()["requests"] == 0

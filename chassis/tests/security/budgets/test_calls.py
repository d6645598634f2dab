"""Calls of the outside API are charged to whoever they are made for."""

import threading

import pytest
from flask import Flask

from chassis import jobs
from chassis.errors import BudgetExceeded
from chassis.jobs import JobContext
from chassis.jobs.execution import execute
from chassis.realtime.streams.run import Run, places
from chassis.security import budget_admin, identity, payer, spending
from chassis.security.budgets import Usage
from chassis.security.identity import Identity
from chassis.tests.patience import wait_until
from chassis.tests.security.budgets.conftest import ADA, BOTH, KEY, stands
from chassis.tests.upstream.conftest import client_for, fake, fake_process, settings_for
from chassis.upstream import UpstreamError, metering
from chassis.upstream.usage import Usage as Tokens

__all__ = ["client_for", "fake", "fake_process", "settings_for"]


@pytest.fixture
def client(budgeted, fake, client_for):
    """A client whose calls are charged to a key of an account."""
    made = client_for(fake.url)
    made.meter(metering.metered)
    with payer.paying(BOTH):
        yield made


def calls():
    return [(row["model"], row["calls"], row["cost"]) for row in spending.of_month(ADA)]


def test_a_call_costs_what_the_api_counted(client):
    client.complete("one two three")  # three words in, four out
    assert calls() == [("test/model", 1, 3 + 2 * 4)]
    assert stands(ADA) == stands(KEY) == (11, 0, None)


def test_a_call_that_failed_costs_nothing_and_one_that_was_tried_twice_is_charged_once(client):
    budget_admin.set_limit(ADA, 10**6)
    with pytest.raises(UpstreamError):
        client.complete("[400]")
    assert calls() == []
    client.complete("[500x1]")
    assert calls() == [("test/model", 1, 1 + 2 * 2)]
    assert stands(ADA) == (5, 0, 10**6 - 5)


def test_texts_that_are_embedded_have_the_price_of_the_index(client, budgeted):
    budget_admin.set_limit(ADA, 10**6)
    client.embed(["one two three", "four"], "test/embed")
    (row,) = spending.of_month(ADA)
    assert (row["model"], row["input_tokens"], row["output_tokens"], row["index_tokens"]) == ("test/embed", 0, 0, 4)
    assert stands(ADA)[1] == 0
    budget_admin.set_limit(ADA, 1)
    with pytest.raises(BudgetExceeded):
        client.embed(["a text with more bytes than the budget has micro-units"], "test/embed")


def test_an_answer_that_was_cut_is_charged(client):
    with pytest.raises(UpstreamError, match="cut off"):
        client.complete("say [cut]")
    assert calls() == [("test/model", 1, 2 + 2 * 3)]


def test_a_call_without_room_is_not_made(client, fake, budgeted):
    budgeted(budget_output_tokens=10)
    budget_admin.set_limit(ADA, len("say it") + 2 * 10 - 1)
    with pytest.raises(BudgetExceeded):
        client.complete("say it")
    assert fake.stats()["requests"] == 0
    budget_admin.set_limit(ADA, len("say it") + 2 * 10)
    client.complete("say it")


def test_a_job_pays_with_the_key_that_queued_it_and_the_account_of_that_key(budgeted, monkeypatch):
    paid = []
    jobs.job("paid")(lambda context, payload: paid.append(payer.current()))
    who = Identity("key", "env-0001", "line 4", identity.scopes("submit"), owner=ADA)
    with monkeypatch.context() as patch:
        patch.setattr(identity, "current", lambda: who)
        job = jobs.get(jobs.enqueue("paid", {}).id)
    execute(job, JobContext(job.id, job.kind, 1, lambda *_: None), "me", threading.Event())
    assert paid == [BOTH]


def test_an_answer_without_usage_costs_an_estimate():
    meter = metering.Meter(9)
    meter.used(Tokens(), output_bytes=4)
    assert meter.usage == Usage(3, 1)


def test_a_streamed_answer_is_charged_and_a_stopped_one_costs_what_came(client):
    list(client.stream("one two three"))
    assert calls() == [("test/model", 1, 3 + 2 * 4)]
    parts = client.stream("four five six")
    next(parts)
    parts.close()
    (model, number, cost), *_ = calls()
    assert (model, number) == ("test/model", 2)
    assert cost > 11
    assert stands(ADA) == (cost, 0, None)


def test_a_stream_is_paid_by_whoever_asked_for_it():
    paid = []
    places.configure(1)
    with Flask(__name__).app_context(), payer.paying(BOTH):
        run = Run(lambda stopped: paid.append(payer.current()) or [])
    assert run.start()
    wait_until(lambda: run.end)
    assert paid == [BOTH]

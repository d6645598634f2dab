"""Ended jobs are told: signed, at least once, under one id, until the receiver has been away for days."""

import base64
import hashlib
import hmac
import time

import pytest
from sqlalchemy import text

from chassis import jobs
from chassis.db import db
from chassis.jobs import registry
from chassis.jobs import store as jobs_store
from chassis.jobs.service import made
from chassis.observability.redaction import redact_line
from chassis.parts.webhooks import service, signing
from chassis.parts.webhooks.tests.conftest import body_of, finish, run_due, waiting
from chassis.security import audit, budget_admin, budget_store, budgets, quotas
from chassis.security.budgets import Payer, Usage

SPECIFIED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret


def test_the_signature_is_that_of_the_specification():
    found = signing.headers(SPECIFIED, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # pragma: allowlist secret


def test_an_end_is_told_signed(app, receiver):
    secret = service.create(receiver.url)["secret"]
    job_id = finish()
    (call,) = receiver.calls
    assert call.path == "/hook?a=1"
    assert body_of(call)["type"] == "job.succeeded"
    assert body_of(call)["data"]["id"] == job_id
    headers = {name.lower(): value for name, value in call.headers.items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + call.body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    assert (headers["host"], headers["content-type"]) == (f"127.0.0.1:{receiver.port}", "application/json")
    assert (service.listing()[0]["state"], service.listing()[0]["last_outcome"]) == ("good", "answered 200")
    assert not waiting()


@pytest.mark.parametrize("end", ["failed", "cancelled", "interrupted"])
def test_each_way_to_end_is_told(app, receiver, end):
    service.create(receiver.url)
    job = jobs.enqueue("trouble", {})
    if end == "cancelled":
        jobs.cancel(job.id)
    if end == "interrupted":
        from chassis.jobs import recovery
        from chassis.jobs import store as jobs_store

        db.write(
            lambda conn: jobs_store.claim(conn, kinds=["trouble"], owner="dead", now=time.time(), lease_seconds=-1)
        )
        assert recovery.reset_stalled(db)
    run_due()
    assert [body_of(call)["type"] for call in receiver.calls] == [f"job.{end}"]


def test_only_the_owner_s_webhooks_are_called_and_calls_are_not_told(app, receiver):
    service.create(receiver.url, "ada@example.org")
    assert finish()
    assert not receiver.calls
    service.create(receiver.url)
    finish()
    run_due()
    assert len(receiver.calls) == 1


def test_the_call_is_stored_with_the_end_or_neither_is(app, receiver, monkeypatch):
    service.create(receiver.url)
    job = jobs.enqueue("work", {})
    now = time.time()
    assert db.write(lambda conn: jobs_store.claim(conn, kinds=["work"], owner="me", now=now, lease_seconds=60))

    def leave_and_break(conn):
        jobs_store.leave(conn, job_id=job.id, owner="me", now=now, state="succeeded")
        raise KeyError

    with pytest.raises(KeyError):
        db.write(leave_and_break)
    assert jobs.get(job.id).state == "running"
    assert not waiting()


@pytest.mark.parametrize("status", [500, 429, 404, 301, 302, 307])
def test_it_is_tried_again_under_the_same_id_and_no_redirect_is_followed(app, receiver, status):
    service.create(receiver.url)
    receiver.answer = receiver.say(status, Location=receiver.url + "&followed")
    finish()
    assert service.listing()[0]["state"] == "failing"
    (row,) = waiting()
    assert row.not_before > time.time() + 1
    assert f"answered {status}" in row.error
    receiver.answer = receiver.say(204)
    assert run_due().state == "succeeded"
    first, second = receiver.calls
    assert (first.path, first.body) == (second.path, second.body)
    ids = [call.headers["webhook-id"] for call in receiver.calls]
    assert ids[0] == ids[1] == f"msg_{row.id}"
    assert service.listing()[0]["state"] == "good"


def test_the_pauses_grow_and_reach_over_days(app):
    kind = registry.kind("webhook")
    pauses = [kind.backoff_seconds * 2.0**n for n in range(kind.max_attempts - 1)]
    least = [0.5 * min(kind.longest_backoff_seconds, pause) for pause in pauses]
    assert all(low <= kind.backoff(n) <= 2 * low for n, low in enumerate(least, 1))
    assert 2 * 86_400 < sum(least) < 3 * 86_400
    assert registry.Kind("other", lambda *_: None).backoff(30) <= 600


def test_what_fails_for_days_is_disabled_and_can_be_enabled(app, receiver):
    made = service.create(receiver.url)
    receiver.answer = receiver.say(503)
    finish()
    finish()
    db.write(lambda conn: conn.execute(text("UPDATE webhooks SET failing_since = failing_since - 3.1 * 86400")))
    assert run_due().state == "failed"
    while waiting():
        run_due()
    calls = len(receiver.calls)
    assert service.listing()[0]["state"] == "disabled"
    assert service.listing()[0]["disabled_reason"] == "answered 503"
    assert audit.listing(limit=1)[0]["action"] == "webhook.disable"
    finish()
    assert len(receiver.calls) == calls
    receiver.answer = receiver.say(200)
    service.enable(made["id"])
    finish()
    assert len(receiver.calls) == calls + 1


def test_a_budget_that_is_nearly_spent_is_told_to_its_owner(app, receiver):
    with app.app_context():
        service.create(receiver.url, "ada")
        budget_admin.set_limit("ada", 100)
        held = budgets.reserve("a model", Usage(), lease_seconds=60, who=Payer("", "ada"))
        db.write(lambda conn: budget_store.spend(conn, {(held.month, "ada"): (85, 0)}))
        budgets.charge(held, Usage())
    run_due()
    (call,) = receiver.calls
    assert body_of(call)["type"] == "budget.alert"
    assert {"subject": "ada", "percent": 80, "limit": 100, "spent": 85}.items() <= body_of(call)["data"].items()


def test_a_receiver_that_is_gone_is_asked_once(app, receiver):
    service.create(receiver.url)
    receiver.answer = receiver.say(410)
    finish()
    assert not waiting()
    assert service.listing()[0]["state"] == "disabled"


def test_calls_that_wait_take_no_place_of_their_owner_s_jobs(app):
    for kind in (service.KIND, service.KIND, "trouble"):
        waits = made(kind, {}, submitted_by="ada")
        db.write(lambda conn, waits=waits: jobs_store.insert(conn, waits))
    with app.app_context():
        assert {one.name: one.used for one in quotas.usage("ada")}["jobs"] == 1


def test_what_waits_for_a_removed_webhook_ends(app, receiver):
    made = service.create(receiver.url)
    receiver.answer = receiver.say(500)
    finish()
    service.remove(made["id"])
    last = run_due()
    assert (last.state, last.error) == ("failed", "The webhook was removed or disabled.")
    assert len(receiver.calls) == 1


def test_the_secret_is_in_no_job_and_no_log_line(app, receiver, capsys):
    secret = service.create(receiver.url)["secret"]
    receiver.answer = receiver.say(500)
    finish()
    assert secret not in str(db.read(lambda conn: list(conn.execute(text("SELECT * FROM jobs")))))
    assert secret not in capsys.readouterr().out
    assert redact_line(f"x {secret} y", []) == "x whsec_*** y"
    assert "secret" not in str(service.listing())

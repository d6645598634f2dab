"""A message is sent by a job: tried again where that helps, and never held up or repeated in vain."""

import pytest

from chassis.db import db
from chassis.jobs import FAILED, SUCCEEDED, jobs_table
from chassis.tests.mail.mail_server import serving_mail
from chassis.tests.patience import wait_until

MODES = ["eventlet", *(pytest.param(mode, marks=pytest.mark.long) for mode in ("gevent", "threading"))]


@pytest.fixture
def mailing(serve, smtp):
    """Return a function that starts a server whose route /mail/ADDRESS sends a message."""
    return lambda **env: serving_mail(serve, smtp, **env)


def ended(server, job_id):
    """Return a job's state and error when it has ended."""
    job = server.json(f"/api/jobs/{job_id}")
    return job if job["state"] in (SUCCEEDED, FAILED) else None


def test_a_server_that_is_busy_is_asked_again(mailing, smtp):
    smtp.refusals[:] = ["451 later"]
    server = mailing()
    job_id = server.post("/mail/ada@example.org")[1]["id"]
    job = wait_until(lambda: ended(server, job_id))
    assert (job["state"], job["attempt"]) == (SUCCEEDED, 2)
    (sent,) = smtp.messages
    assert sent["Message-ID"].startswith(f"<{job_id}@")


def test_a_refusal_for_good_is_told_and_not_repeated(mailing, smtp):
    smtp.refusals[:] = ["550 no such mailbox", "250 never asked"]
    server = mailing()
    job_id = server.post("/mail/ada@example.org")[1]["id"]
    job = wait_until(lambda: ended(server, job_id))
    assert (job["state"], job["attempt"]) == (FAILED, 1)
    assert job["error"] == "The mail server refuses the recipient: 550 no such mailbox"
    assert smtp.asked == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_mail_server_that_does_not_answer_holds_up_nobody(mailing, smtp, mode):
    smtp.open.clear()
    server = mailing(ASYNC_MODE=mode)
    job_id = server.post("/mail/ada@example.org")[1]["id"]
    wait_until(lambda: server.json(f"/api/jobs/{job_id}")["state"] == "running")
    assert [server.get("/livez")[0] for _ in range(20)] == [200] * 20
    assert smtp.messages == []
    smtp.open.set()
    assert wait_until(lambda: ended(server, job_id))["state"] == SUCCEEDED


def test_what_a_message_says_is_sealed_in_the_database(make):
    from chassis.mail import outbox, send

    with make(1).app.app_context():
        job = send("ada@example.org", "mail/test", url="https://acme.example/the-secret-link")
        row = db.read(lambda conn: conn.execute(jobs_table.select()).one())
        assert "the-secret-link" not in str(row)
        assert outbox.opened(job.payload["values"]) == {"url": "https://acme.example/the-secret-link"}

"""Invitations and links for a new password by e-mail, and shown where it is off or does not work."""

import re

import pytest
from pydantic import SecretStr
from werkzeug.security import gen_salt

from chassis.db import db
from chassis.jobs import jobs_table
from chassis.jobs.context import GiveUp, JobContext
from chassis.jobs.registry import kind
from chassis.parts.accounts.mailing import lasting
from chassis.parts.accounts.tests.conftest import ADA, ROOT_MAIL
from chassis.tests.servers import free_port
from chassis.tests.smtp_server import running

GRACE, NEW = "grace@example.org", "an otter under the bridge"
LINK = re.compile(r"http://\S+")


@pytest.fixture
def smtp():
    with running() as server:
        yield server


@pytest.fixture
def mailing(make):
    """Return a function that makes an application that sends e-mail."""

    def made(port):
        return make(smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"), mail_from="Acme <no-reply@example.org>")

    return made


def link_in(message):
    """Return the path of the link in a message, which is the same in text and HTML."""
    text, page = (message.get_body((part,)).get_content() for part in ("plain", "html"))
    found = LINK.search(text)[0]
    assert f'href="{found}"' in page
    return "/" + found.split("/", 3)[3]


def send_waiting(people):
    """Run the jobs that wait, as a worker would."""
    with people.app.app_context():
        for row in db.read(lambda conn: conn.execute(jobs_table.select().where(jobs_table.c.kind == "mail")).all()):
            kind("mail").handler(JobContext(row.id, "mail", 1, lambda *_: None), row.payload)


def root(people):
    browser = people.browser()
    browser.sign_in(ROOT_MAIL)
    return browser


def test_an_admin_sends_an_invitation_and_sees_what_became_of_it(mailing, smtp):
    people = mailing(smtp.port)
    admin = root(people)
    answer = admin.act("/admin/accounts/invite", page="/admin/accounts", email=f" {GRACE.upper()} ", role="user")
    assert answer.status_code == 303
    page = admin.get(answer.headers["Location"]).text
    assert GRACE in page
    assert "queued" in page
    assert "ln_" not in page
    send_waiting(people)
    (message,) = smtp.messages
    assert message["To"] == GRACE
    assert people.browser().send(link_in(message), password=NEW, again=NEW).status_code == 303


def test_an_admin_can_have_the_link_shown_instead(mailing, smtp):
    admin = root(mailing(smtp.port))
    answer = admin.act("/admin/accounts/invite", page="/admin/accounts", email=GRACE, role="user", show="1")
    assert answer.status_code == 200
    assert "/invitation/ln_" in answer.text
    assert smtp.messages == []


def test_the_commands_send_at_once(mailing, smtp):
    people = mailing(smtp.port)
    for words, to in ((("invite", GRACE), GRACE), (("reset-link", ADA), ADA)):
        done = people.run(*words, "--url", "http://acme.example")
        assert (done.exit_code, done.output) == (0, f"The link was sent to {to}.\n")
    assert smtp.recipients == [GRACE, ADA]
    assert people.browser().send(link_in(smtp.messages[1]), password=NEW, again=NEW).status_code == 303
    assert "/invitation/ln_" in people.run("invite", "other@example.org", "--show").output


def test_a_command_prints_the_link_when_it_was_not_sent(mailing):
    done = mailing(free_port()).run("invite", GRACE)
    assert done.exit_code == 1
    assert "/invitation/ln_" in done.output
    assert "The link above was not sent: The mail server cannot be reached" in done.output


def test_what_can_no_longer_be_opened_is_given_up(mailing, smtp):
    people = mailing(smtp.port)
    root(people).act("/admin/accounts/invite", page="/admin/accounts", email=GRACE, role="user")
    people.app.config["SECRET_KEY"] = gen_salt(40)
    with pytest.raises(GiveUp, match="SECRET_KEY has changed"):
        send_waiting(people)
    assert smtp.messages == []


def test_without_a_mail_server_links_are_shown(people):
    admin = root(people)
    answer = admin.act("/admin/accounts/invite", page="/admin/accounts", email=GRACE, role="user")
    assert (answer.status_code, "/invitation/ln_" in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(604_800, "7 days"), (86_400, "1 day"), (7_199, "1 hour"), (120, "2 minutes"), (5, "5 seconds")],
)
def test_a_time_is_told_in_words(seconds, words):
    assert lasting(seconds) == words

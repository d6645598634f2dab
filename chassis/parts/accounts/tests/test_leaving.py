"""Leaving: disabling an account ends its keys, sessions, links and jobs in one act, and says so."""

import io
import json
import re
import time
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from chassis import jobs
from chassis.base.times import DAY_SECONDS
from chassis.db import db
from chassis.files import StoredFile
from chassis.files import store as file_store
from chassis.files.model import new_id
from chassis.jobs import store as job_store
from chassis.jobs.model import RUNNING
from chassis.parts.accounts import administration
from chassis.parts.accounts.tests.conftest import ADA, ROOT_MAIL
from chassis.security import audit, stale_keys
from chassis.security.tables import api_keys

GRACE = "grace@example.org"


class Slow(io.BytesIO):
    """A body that is so slow that something happens before its first byte comes."""

    def __init__(self, data, meanwhile):
        super().__init__(data)
        self.meanwhile = [meanwhile]

    def read(self, size=-1):
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().read(size)


@pytest.fixture
def team(people):
    """Ada is an admin, with Grace beside her."""
    people.run("set-role", ADA, "admin")
    people.run("create-admin", GRACE, "--generate")
    return people


def signed_in(people, email=ADA):
    browser = people.browser()
    browser.sign_in(email)
    return browser


def key(people, name, *options):
    """Make a key by the command and return its text."""
    return people.run("create", name, *options, group="keys").stdout.split()[0]


def id_of(text):
    return text.split("_")[1]


def made_by(browser, **fields):
    """Make a key on the admin page and return its text."""
    fields = {"name": "made on the page", "owner": "", "scope": "admin", **fields}
    return shown(browser.act("/admin/keys", "/admin/keys", **fields).text)


def shown(page):
    return page.partition('<code id="made">')[2].partition("<")[0]


def works(people, text):
    return people.app.test_client().get("/api/jobs", headers={"X-API-Key": text}).status_code == 200


def job_of(people, owner, **values):
    """Store a job that an owner asked for, which no runner takes here."""
    with people.app.app_context():
        made = replace(jobs.new_job("backup", {}), submitted_by=owner, **values)
        return db.write(lambda conn: job_store.insert(conn, made)).id


def job(people, job_id):
    with people.app.app_context():
        return jobs.get(job_id)


def invited(browser, email="friend@example.org"):
    """Return the path of an invitation that somebody made on the admin page."""
    page = browser.act("/admin/accounts/invite", "/admin/accounts", email=email, role="admin").text
    return page.partition('value="http://localhost')[2].partition('"')[0]


def change(key_id, **values):
    db.write(lambda conn: conn.execute(api_keys.update().where(api_keys.c.id == key_id).values(**values)))


def test_keys_that_an_account_owns_or_made_end_with_it(team):
    ada = signed_in(team)
    own, others = key(team, "own", "--owner", ADA), key(team, "others", "--owner", GRACE)
    backdoor, for_grace = made_by(ada), made_by(ada, owner=GRACE, scope="read")
    program, by_backdoor = team.app.test_client(), {"headers": {"X-API-Key": backdoor}}
    assert program.post("/admin/keys", data={"name": "second"}, **by_backdoor).status_code == 303
    second = shown(program.get("/admin/keys", **by_backdoor).text)
    assert all(works(team, text) for text in (own, others, backdoor, second, for_grace))
    said = team.run("disable", ADA, "--yes").output
    assert "API keys (4, revoked)" in said
    assert [works(team, text) for text in (own, backdoor, second, for_grace, others)] == [False] * 4 + [True]
    with team.app.app_context():
        told = [line["target"] for line in audit.listing() if line["action"] == "account.leaving"]
    assert any(line.startswith(f"{ADA}: API keys (4, revoked)") for line in told)
    assert "holds nothing" in team.run("disable", ADA, "--dry-run").output


def test_its_jobs_are_cancelled_with_those_of_its_keys(team):
    backdoor = made_by(signed_in(team))
    waits, runs = job_of(team, ADA), job_of(team, ADA, state=RUNNING)
    by_key, of_grace = job_of(team, f"key:{id_of(backdoor)}"), job_of(team, GRACE)
    assert "jobs (3, cancelled)" in team.run("disable", ADA, "--yes").output
    assert [job(team, one).state for one in (waits, by_key, of_grace)] == ["cancelled", "cancelled", "queued"]
    assert job(team, waits).finished_at
    assert (job(team, runs).state, job(team, runs).cancel_requested) == ("running", True)


def test_its_sessions_and_the_links_that_it_made_end(team):
    ada, grace = signed_in(team), team.browser()
    path = invited(ada)
    assert grace.get(path).status_code == 200
    said = team.run("disable", ADA, "--yes").output
    assert "sessions (1, ended with their sockets): from 127.0.0.1" in said
    assert "links (1, no longer valid): invitation for friend@example.org" in said
    assert grace.get(path).status_code == 404
    assert not ada.is_in()


def test_jobs_are_handed_over_and_keys_for_others_are_kept_when_asked(team):
    ada = signed_in(team)
    for_grace, own = made_by(ada, owner=GRACE), made_by(ada)
    waits, runs = job_of(team, ADA), job_of(team, ADA, state=RUNNING)
    said = team.run("disable", ADA, "--hand-over-to", GRACE.upper(), "--keep-keys-for-others", "--yes").output
    assert f"jobs (2, handed over to {GRACE})" in said
    handed = [job(team, one) for one in (waits, runs)]
    assert [(one.state, one.submitted_by) for one in handed] == [("queued", GRACE), ("running", GRACE)]
    assert not any(one.cancel_requested for one in handed)
    assert works(team, for_grace)
    assert not works(team, own)
    with team.app.app_context():
        assert list(stale_keys.reasons().values()) == [f"was created by {ADA}, whose account is disabled"]
    assert "whose account is disabled" in team.run("list", "--stale", group="keys").output


@pytest.mark.parametrize(
    ("words", "fate", "left"),
    [((), "deleted", []), (("--hand-over-to", GRACE), f"handed over to {GRACE}", [GRACE, GRACE])],
)
def test_its_files_and_those_of_its_keys_are_deleted_or_handed_over(team, words, fate, left):
    owners = ADA, f"key:{id_of(made_by(signed_in(team)))}", "somebody@example.org"
    files = [StoredFile(new_id(), owner, "", f"{n}.txt", "text/plain", 1, "", 0.0) for n, owner in enumerate(owners)]
    db.write(lambda conn: file_store.insert(conn, files))
    assert f"files (2, {fate}): " in team.run("disable", ADA, *words, "--yes").output
    stored = db.read(lambda conn: conn.execute(file_store.newest_first(None)).all())
    assert sorted(row.owner for row in stored) == [*left, "somebody@example.org"]


def test_the_command_lists_what_ends_and_asks(team):
    own = key(team, "own", "--owner", ADA)
    for words, answer in (((), "n\n"), (("--dry-run",), "")):
        said = team.run("disable", ADA, *words, input=answer)
        assert "API keys (1, revoked): ak_" in said.output
        assert works(team, own)
    assert team.run("disable", ADA, input="y\n").exit_code == 0
    assert not works(team, own)


@pytest.mark.parametrize("heir", ["nobody@example.org", ADA, ROOT_MAIL])
def test_nothing_ends_when_the_heir_cannot_take_over(team, heir):
    team.run("disable", ROOT_MAIL, "--yes")
    own = key(team, "own", "--owner", ADA)
    assert team.run("disable", ADA, "--hand-over-to", heir, "--yes").exit_code == 1
    assert works(team, own)


def test_nothing_ends_with_the_last_admin(people):
    own = key(people, "own", "--owner", ROOT_MAIL)
    assert "At least one admin" in people.run("disable", ROOT_MAIL, "--yes").output
    assert works(people, own)


def test_the_admin_page_lists_what_ends_and_says_what_ended(team):
    root, own = signed_in(team, ROOT_MAIL), key(team, "line <4>", "--owner", ADA)
    with team.app.app_context():
        page = f"/admin/accounts/{administration.find(ADA).id}"
    assert "line &lt;4&gt;" in root.get(page).text
    assert root.act(f"{page}/disable", page, heir="nobody@example.org").status_code == 404
    assert works(team, own)
    assert root.act(f"{page}/disable", page, heir="").status_code == 303
    ended = root.get(page).text
    assert "The account is disabled" in ended
    assert "API keys (1, revoked)" in ended
    assert not works(team, own)


def test_keys_that_nobody_uses_or_whose_makers_left_are_named(team):
    old, used, fresh, gone, first, second = (id_of(key(team, f"key {number}")) for number in range(6))
    change(old, created_at=0)
    change(used, created_at=0, last_used_at=time.time())
    change(gone, made_by="gone@example.org")
    change(second, made_by=f"key:{first}")
    team.run("revoke", first, group="keys")
    with team.app.app_context():
        found = stale_keys.reasons()
    assert found[old].startswith("has not been used for ")
    assert found[gone] == "was created by gone@example.org, which has no account"
    assert found[second] == f"was created by the key {first}, which is revoked"
    assert not {used, fresh, first} & set(found)


def test_stale_keys_are_on_the_console_the_keys_page_and_in_the_commands(team):
    gone = id_of(key(team, "gone"))
    key(team, "good")
    change(gone, made_by="gone@example.org")
    root = signed_in(team, ROOT_MAIL)
    assert f"<code>ak_{gone}</code>" in root.get("/admin/console").text
    assert "which has no account" in root.get("/admin/keys").text
    listed = json.loads(team.run("list", "--stale", "--json", group="keys").output)
    assert [one["id"] for one in listed] == [gone]
    doctor = json.loads(team.run("--json", group="doctor").output)
    assert f"flask keys revoke ak_{gone}" in {one["fix"] for one in doctor}


def test_age_counts_only_when_it_is_asked_for(make):
    people = make(stale_key_days=0)
    change(id_of(key(people, "old")), created_at=DAY_SECONDS)
    with people.app.app_context():
        assert stale_keys.reasons() == {}


def test_a_key_says_who_made_it(team):
    made_by(signed_in(team))
    key(team, "by the operator")
    listed = json.loads(team.run("list", "--json", group="keys").output)
    assert {one["name"]: one["made_by"] for one in listed} == {"by the operator": "operator", "made on the page": ADA}


@pytest.mark.parametrize("in_head", [False, True])
def test_a_form_that_was_begun_before_somebody_left_makes_no_key(team, in_head):
    ada = signed_in(team)
    token = re.search(r'name="csrf_token" value="(\w+)"', ada.get("/admin/keys").text)[1]
    form = urlencode({"name": "kept", "scope": "admin", **({} if in_head else {"csrf_token": token})}).encode()
    headers = {"Origin": "http://localhost", **({"X-CSRF-Token": token} if in_head else {})}
    body = {"input_stream": Slow(form, lambda: team.run("disable", ADA, "--yes")), "content_length": len(form)}
    kind = "application/x-www-form-urlencoded"
    sent = ada.client.post("/admin/keys", content_type=kind, headers=headers, **body, **ada.options)
    assert sent.status_code == 401
    assert "kept" not in team.run("list", group="keys").output

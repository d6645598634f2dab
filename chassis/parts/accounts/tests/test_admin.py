"""What admins see and do, and the commands of the operator."""

import re
import shlex

from chassis.db import db, state
from chassis.parts.accounts import administration, links
from chassis.parts.accounts.tables import users
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.security import audit
from chassis.tests.documents import blocks

DOOR = {
    "oidc_issuer": "https://id.example.org",
    "oidc_client_id": "id",
    "oidc_client_secret": "secret",
    "oidc_allowed_domains": ("example.org",),
}


def admin_of(people):
    root = people.browser()
    root.sign_in(ROOT_MAIL)
    return root


def id_of(people, email=ADA):
    with people.app.app_context():
        return administration.find(email).id


def test_the_admin_pages_are_for_admins(people):
    visitor, ada, root = people.browser(), people.browser(), admin_of(people)
    ada.sign_in()
    for path in ("/admin/accounts", f"/admin/accounts/{id_of(people)}"):
        assert visitor.get(path).headers["Location"].startswith("/sign-in?next=/admin/accounts")
        assert ada.get(path).status_code == 403
        assert root.get(path).status_code == 200
    assert ada.act(f"/admin/accounts/{id_of(people, ROOT_MAIL)}/disable").status_code == 403
    assert root.is_in()
    assert "/admin/accounts" not in ada.get("/account").text


def test_an_admin_invites_and_the_link_is_shown_once(people):
    root, page = admin_of(people), "/admin/accounts"
    shown = root.act(f"{page}/invite", page, email="grace@example.org", role="user")
    path = re.search(r'value="http://localhost(/invitation/[^"]+)"', shown.text)[1]
    assert people.browser().get(path).status_code == 200
    assert "/invitation/" not in root.get(page).text
    assert root.act(f"{page}/invite", page, email="x", role="user").status_code == 400
    assert root.act(f"{page}/invite", page, email="x@example.org", role="owner").status_code == 400


def test_people_and_pending_invitations_are_searched_on_the_console(people):
    root, page = admin_of(people), "/admin/console/people"
    root.act("/admin/accounts/invite", "/admin/accounts", email="grace@example.org", role="user")
    everybody = root.get(page).text
    assert everybody.index("grace@example.org") < everybody.index(ADA), "invitations come first"
    assert "invitation expires" in everybody
    assert f'href="/admin/accounts/{id_of(people)}"' in everybody
    found = root.get(f"{page}?q=GRACE").text
    assert ("grace@example.org" in found, f">{ADA}<" in found) == (True, False)
    assert "Nobody matches." in root.get(f"{page}?q=%25").text, "the signs of LIKE are plain characters"


def test_disabling_ends_the_session_and_enabling_does_not_bring_it_back(people):
    ada, root = people.browser(), admin_of(people)
    ada.sign_in()
    page = f"/admin/accounts/{id_of(people)}"
    assert "127.0.0.1" in root.get(page).text
    root.act(f"{page}/disable", page)
    assert not ada.is_in()
    assert ada.sign_in().status_code == 401
    root.act(f"{page}/enable", page)
    assert not ada.is_in()
    assert ada.sign_in().status_code == 303
    root.act(f"{page}/sign-out", page)
    assert not ada.is_in()
    assert root.act(f"{page}/explode", page).status_code == 404
    told = [(line["action"], line["actor"], line["target"]) for line in audit.listing()]
    assert told[0] == ("account.sign_out_everywhere", ROOT_MAIL, ADA)
    assert ("account.disable", ROOT_MAIL, ADA) in told
    assert PASSWORD not in str(audit.listing())


def test_a_role_counts_from_the_next_request_on(people):
    ada, root = people.browser(), admin_of(people)
    ada.sign_in()
    page = f"/admin/accounts/{id_of(people)}"
    root.act(f"{page}/role", page, role="admin")
    assert ada.get("/admin/accounts").status_code == 200
    root.act(f"{page}/role", page, role="user")
    assert ada.get("/admin/accounts").status_code == 403


def test_a_reset_link_is_made_by_an_admin(people):
    root, page = admin_of(people), f"/admin/accounts/{id_of(people)}"
    assert "/reset/ln_" in root.act(f"{page}/reset-link", page).text


def test_the_last_admin_stays(people):
    root, page = admin_of(people), f"/admin/accounts/{id_of(people, ROOT_MAIL)}"
    assert root.act(f"{page}/disable", page).status_code == 409
    assert root.act(f"{page}/role", page, role="user").status_code == 409
    assert root.get("/admin/accounts").status_code == 200
    people.run("set-role", ADA, "admin")
    assert root.act(f"{page}/role", page, role="user").status_code == 303
    assert root.get("/admin/accounts").status_code == 403
    assert "At least one admin" in people.run("disable", ADA, "--yes").output


def test_many_accounts_are_shown_in_pages(people, monkeypatch):
    monkeypatch.setattr("chassis.parts.accounts.admin_pages.PER_PAGE", 1)
    root, link = admin_of(people), f'/admin/accounts/{id_of(people, ROOT_MAIL)}"'
    first, second = root.get("/admin/accounts").text, root.get("/admin/accounts?page=2").text
    assert ADA in first
    assert link not in first
    assert link in second


def test_what_somebody_is_called_is_text(people):
    path = "/" + people.run("invite", "grace@example.org").output.strip().split("/", 3)[3]
    name, password = "<script>alert(1)</script>", "an otter under the bridge"
    people.browser().send(path, name=name, password=password, again=password)
    assert name not in admin_of(people).get("/admin/accounts").text


def test_the_first_admin_is_made_by_a_command(people):
    asked = people.run("create-admin", "one@example.org", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert asked.exit_code == 0
    assert PASSWORD not in asked.output
    generated = people.run("create-admin", "two@example.org", "--generate").stdout.strip()
    given = people.run("create-admin", "three@example.org", "--password-stdin", input=f"{PASSWORD}\r\n")
    assert given.exit_code == 0
    for email, password in (("one", PASSWORD), ("two", generated), ("three", PASSWORD)):
        browser = people.browser()
        browser.sign_in(f"{email}@example.org", password)
        assert browser.get("/admin/accounts").status_code == 200
    for words, reason in (
        (("create-admin", "one@example.org", "--generate"), "already has an account"),
        (("create-admin", "x", "--generate"), "looks like"),
        (("create-admin", "x@example.org", "--generate", "--password-stdin"), "cannot be used together"),
        (("disable", "nobody@example.org", "--yes"), "no such account"),
    ):
        refused = people.run(*words)
        assert refused.exit_code != 0
        assert reason in refused.output
    weak = people.run("create-admin", "x@example.org", "--password-stdin", input="short\n")
    assert "at least 12" in weak.output
    assert "signed in never" not in people.run("list").output.split("one@")[1].split("\n")[0]


def test_the_commands_of_the_documents(people):
    for line in "".join(blocks("chassis/docs/operations.md", "Accounts")).splitlines():
        command, group, *words = shlex.split(line)
        assert (command, group) == ("flask", "users")
        if words[0] == "create-admin":
            words[1] = "another@example.org"  # Ada is there already
        if "grace@example.org" in words and words[0] != "invite":
            people.run("create-admin", "grace@example.org", "--generate")  # refused from the second time on
        done = people.run(*words)
        assert done.exit_code == 0, (line, done.output)
        if "--url" in words:
            assert done.stdout.startswith("https://app.example.org/")


def test_doctor_knows_whether_anybody_can_come_in(make):
    def told(people):
        return "no key and no account" in people.run(group="doctor").output

    everybody_is_out = lambda: db.write(lambda conn: conn.execute(users.update().values(disabled_at=1)))  # noqa: E731
    people = make()
    assert not told(people)
    everybody_is_out()
    assert told(people)
    assert "flask users create-admin EMAIL" in people.run(group="doctor").output
    people.run("enable", ADA)
    assert not told(people)
    for own, oidc in (({"allow_registration": True}, None), (None, DOOR)):
        with_door = make(own, oidc)
        everybody_is_out()
        assert not told(with_door)


def test_whoever_becomes_an_admin_is_counted_and_logged(people, caplog):
    def made():
        return (db.read(lambda conn: state.get(conn, audit.ADMINS_MADE)) or {"count": 0})["count"]

    before = made()
    people.run("create-admin", "new@example.org", "--generate")
    people.run("set-role", ADA, "user")
    assert made() == before + 1
    people.run("set-role", ADA, "admin")
    people.run("set-role", ADA, "admin")
    assert made() == before + 2
    people.run("disable", ADA, "--yes")
    people.run("enable", ADA)
    people.run("enable", ADA)
    assert made() == before + 3
    with people.app.app_context():
        secret = links.invite("grace@example.org", "admin")
    people.browser().send(f"/invitation/{secret}", password=PASSWORD, again=PASSWORD, name="Grace")
    assert made() == before + 4
    (line,) = (r.msg for r in caplog.records if (r.name, r.levelname) == ("chassis.security.audit", "WARNING"))
    assert (line["event"], line["target"]) == ("admin_made", "grace@example.org (admin)")

"""Without passwords only the provider signs people in, but for a link of the operator."""

from chassis.parts.accounts import passwords
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL
from chassis.parts.accounts.tests.oidc_parts import path_of, sign_in
from chassis.parts.accounts.tests.oidc_people import DOMAIN, GRACE


def test_without_passwords_the_provider_is_the_only_way_but_for_a_link_of_the_operator(join, provider):
    people = join({"allow_registration": True}, password_sign_in=False)
    browser = people.browser()
    page = browser.get("/sign-in").text
    assert "Sign in with Example ID" in page
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]
    assert 'name="password"' not in page
    assert "create-admin" not in page
    token = {"csrf_token": "x"}
    for path in ("/sign-in", "/register"):
        assert browser.post(path, email=ADA, password=PASSWORD, again=PASSWORD, **token).status_code == 403
    assert browser.get("/register").status_code == 403
    assert people.run("reset-link", ADA).exit_code == 1
    link = path_of(people.run("sign-in-link", ROOT_MAIL).output.strip()).rstrip("?")
    root = people.browser()
    assert ROOT_MAIL in root.get(link).text
    assert root.send(link).status_code == 303
    assert root.get("/admin/accounts").status_code == 200
    assert 'name="current"' not in root.get("/account").text
    assert people.browser().get(link).status_code == 404
    people.run("disable", ADA, "--yes")
    assert people.run("sign-in-link", ADA).exit_code == 1


def test_by_a_link_that_expired_nobody_signs_in(people, monkeypatch):
    monkeypatch.setattr("chassis.parts.accounts.links.EMERGENCY_SECONDS", -1)
    link = path_of(people.run("sign-in-link", ADA).output.strip()).rstrip("?")
    assert people.browser().get(link).status_code == 404


def test_an_account_without_a_password_is_opened_by_none(join, provider, monkeypatch):
    """Not even by the one whose hash every unknown e-mail is compared with."""
    people = join(**DOMAIN)
    provider.has("bare", **GRACE)
    grace = people.browser()
    sign_in(provider, grace, "bare")
    assert 'name="current"' not in grace.get("/account").text
    monkeypatch.setattr(passwords, "NOBODYS", passwords.hashed(PASSWORD))
    for password in (PASSWORD, "", "x"):
        assert people.browser().sign_in(GRACE["email"], password).status_code == 401

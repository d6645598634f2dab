"""Accounts on a real PostgreSQL, where writes run at once."""

import re
import threading
from collections import Counter

import pyotp
import pytest

from app import create_app
from chassis.db import db
from chassis.parts.accounts import administration, joining, links, lockout
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL, Browser, settings_for
from chassis.parts.accounts.tests.devices import FACTORS, SECOND
from chassis.parts.accounts.tests.oidc_parts import back_from, sign_in
from chassis.parts.accounts.tests.test_sockets import Visitor
from chassis.tests.conftest import serve
from chassis.tests.services import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url", "serve"]
pytestmark = pytest.mark.long


def test_accounts_on_postgresql(postgres_url, serve, tmp_path, wait_for):
    server = serve(DATABASE_URL=postgres_url, REQUIRE_CLIENT_API_KEY="true")
    app = create_app(settings_for(postgres_url))
    with app.app_context():
        joining.create(ADA, "user", PASSWORD)
        joining.create(ROOT_MAIL, "admin", PASSWORD)
        path = links.path(links.INVITATION, links.invite("grace@example.org", "user"))
    assert Visitor(server).send(path, path, password=PASSWORD, again=PASSWORD)[0] in (200, 404)
    ada = Visitor(server).sign_in()
    codes = set_up_factor(ada)
    answers = at_once(server, 4, lambda door: door.send(SECOND, SECOND, proof_recovery=codes[0])[0])
    assert answers == {200: 1, 401: 3}
    client = ada.socket()
    with app.app_context():
        administration.disable(administration.find(ADA))
        with pytest.raises(administration.Conflict):
            administration.disable(administration.find(ROOT_MAIL))
        administration.enable(administration.find(ADA))
        administration.unlock(administration.find(ADA))
    wait_for(lambda: client.ended)
    assert ada.status() == 401
    answers = guesses_at_once(server, 12)
    assert answers[401] == lockout.FREE_OF_ACCOUNT
    assert answers[429] == 12 - lockout.FREE_OF_ACCOUNT
    assert Visitor(server).send("/sign-in", "/sign-in", email="a\0b@example.org", password="x")[0] == 401
    db.close()


def test_the_provider_on_postgresql(postgres_url, serve, provider, tmp_path):
    serve(DATABASE_URL=postgres_url)
    door = provider.settings(
        oidc_allowed_domains=("example.org",), oidc_role_claim="groups", oidc_admin_values=("root",)
    )
    url = {"public_url": "http://localhost"}
    people = create_app(settings_for(postgres_url, None, door, require_client_api_key=True, **url))
    for subject in ("first", "second"):
        provider.has(subject, email=f"{subject}@example.org", email_verified=True, groups=["root"])
        for _ in range(2):
            browser = Browser(people)
            back = back_from(provider, browser, subject)
            assert browser.get(back).status_code == 303
            assert browser.get("/admin/accounts").status_code == 200
            assert browser.get(back).status_code == 401
    provider.has("third", email="first@example.org", email_verified=True)
    assert sign_in(provider, Browser(people), "third").status_code == 409
    db.close()


def set_up_factor(visitor):
    """Set an authenticator app up; return the recovery codes."""
    page = f"{FACTORS}/authenticator"
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', visitor.ask(page)[1])[1].replace(" ", "")
    status, shown = visitor.send(page, page, code=pyotp.TOTP(secret).now())
    assert status == 200
    return re.findall(r"<code>([a-z2-7-]{19})</code>", shown)


def guesses_at_once(server, number):
    return at_once(server, number, lambda door: door.send("/sign-in", "/sign-in", email=ADA, password="wrong")[0], "")


def at_once(server, number, act, email=ADA):
    """Return what visitors are answered who do the same at once, signed in before unless `email` is empty."""
    answers = []
    doors = [Visitor(server).sign_in(email) if email else Visitor(server) for _ in range(number)]
    threads = [threading.Thread(target=lambda door=door: answers.append(act(door))) for door in doors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)

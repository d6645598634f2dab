"""Passkeys: of this site's own name alone, in a real Chromium with a virtual authenticator."""

import pytest
import socketio

from app import create_app
from chassis.db import db
from chassis.parts.accounts import joining, passkeys
from chassis.parts.accounts.tables import sessions as table
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, settings_for
from chassis.parts.accounts.tests.devices import FACTORS, SECOND
from chassis.parts.accounts.tests.test_sockets import Visitor
from chassis.security import audit

KAY = "kay@example.org"
DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
DEVICE |= {"isUserVerified": True, "automaticPresenceSimulation": True}


@pytest.mark.parametrize(
    ("public_url", "host", "app_env", "expected"),
    [
        ("https://app.example.org", "evil.example", "production", ("app.example.org", "https://app.example.org")),
        ("https://App.example.org:443/", "x", "production", ("app.example.org", "https://app.example.org")),
        ("https://app.example.org:8443", "x", "test", ("app.example.org", "https://app.example.org:8443")),
        ("http://app.example.org", "app.example.org", "test", None),
        ("https://10.0.0.1", "10.0.0.1", "test", None),
        ("", "app.example.org", "production", None),
        ("", "localhost", "production", None),
        ("", "localhost:5000", "development", ("localhost", "http://localhost:5000")),
        ("", "one.localhost", "test", ("one.localhost", "http://one.localhost")),
        ("", "127.0.0.1:5000", "development", None),
        ("", "evil.example", "development", None),
        ("", "localhost.evil.example", "test", None),
    ],
)
def test_the_site_s_name_comes_from_no_header(make, public_url, host, app_env, expected):
    app = make(public_url=public_url, app_env=app_env, secret_key="k3Zq9_" * 8, allowed_hosts=("*",)).app
    headers = {"X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    with app.test_request_context(base_url=f"http://{host}", headers=headers):
        assert passkeys.party() == expected


def test_without_the_extra_nobody_is_offered_one(people, monkeypatch):
    ada = people.browser()
    ada.sign_in()
    assert "Add a passkey" in ada.get(FACTORS).text
    monkeypatch.setattr(passkeys, "installed", lambda _name: False)
    assert "asskey" not in ada.get(FACTORS).text
    assert ada.get(f"{FACTORS}/passkey").status_code == 404
    assert ada.act(f"{FACTORS}/passkey", FACTORS, name="x", passkey="{}").status_code == 404


@pytest.mark.parametrize("answer", ["", "{}", "[" * 10_000, "null", '{"id": 1}', '{"id": "x", "rawId": "x"}'])
def test_what_is_no_answer_is_refused(people, answer):
    ada = people.browser()
    ada.sign_in()
    refused = ada.send(f"{FACTORS}/passkey", name="x", passkey=answer)
    assert (refused.status_code, "could not be checked" in refused.text) == (400, True)


@pytest.mark.parametrize("answer", ["", "{}", "[" * 10_000, '{"id": "x", "rawId": "x"}'])
def test_what_is_no_answer_signs_nobody_in(people, answer):
    visitor = people.browser()
    refused = visitor.send("/sign-in", "/sign-in/passkey", passkey=answer)
    assert (refused.status_code, "does not belong to an account here" in refused.text) == (401, True)
    assert "data-passkey" not in people.browser(base_url="http://127.0.0.1").get("/sign-in").text


@pytest.fixture
def kay(server):
    """The server's database with an admin of its own for these tests."""
    app = create_app(settings_for(server.env["DATABASE_URL"]))
    with app.app_context():
        joining.create(KAY, "admin", PASSWORD)
        yield
    db.close()


def sign_in(page, home):
    page.goto(f"{home}/sign-in")
    page.fill("#email", KAY)
    page.fill("#password", PASSWORD)
    page.click("main button")


def use_passkey(page):
    page.click("form[data-passkey=use] button")


@pytest.mark.browser
def test_a_passkey_is_kept_named_used_and_removed(server, kay, page):
    home = f"http://localhost:{server.port}"
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    sign_in(page, home)
    page.wait_for_selector(".account .who")
    page.goto(f"{home}{FACTORS}")
    page.click("text=Add a passkey")
    page.fill("#name", "Blue key")
    page.click("text=Add passkey")
    page.wait_for_selector("h1 >> text=Your recovery codes")
    assert page.locator(".codes code").count() == 10
    page.click("text=I have saved them")
    page.fill("input[name=name]", "Green key")
    page.click("text=Rename")
    page.wait_for_selector("strong >> text=Green key")
    page.click("text=Add a passkey")
    page.fill("#name", "The same device")
    page.click("text=Add passkey")
    page.wait_for_selector("[role=alert] >> text=already has a passkey for your account")
    page.click("text=Sign out")

    sign_in(page, home)
    page.wait_for_url(f"**{SECOND}?next=*")
    sent = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    use_passkey(page)
    page.wait_for_selector(".account .who")
    page.goto(f"{home}/account")
    page.wait_for_selector("text=10 recovery codes are left")
    asked_again(page, home)
    refuses_what_was_sent_before(page, home, sent[0])
    refuses_sockets(server)

    signs_in_with_it_alone(page, home)

    page.goto(f"{home}{FACTORS}")
    credentials = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert [one["rpId"] for one in credentials] == ["localhost"]
    page.click("[aria-label='Remove the passkey Green key']")
    page.get_by_role("dialog").get_by_text("Remove passkey").click()
    page.wait_for_selector("text=The second factor is removed")
    page.click("text=Sign out")
    sign_in(page, home)
    page.wait_for_url(lambda url: SECOND not in url and "sign-in" not in url)
    told = [line["action"] for line in audit.listing() if line["actor"] == KAY]
    for action in ("factor_add", "factor_rename", "second_factor", "proof", "factor_remove"):
        assert f"account.{action}" in told
    assert page.errors == []


def asked_again(page, home):
    """A form that is interrupted goes on by itself, with what was typed."""
    page.goto(f"{home}/admin/keys")
    db.write(lambda conn: conn.execute(table.update().values(proved_at=table.c.proved_at - 901)))
    page.fill("#name", "nightly <b>")
    page.click("text=Create key")
    page.wait_for_selector("h1 >> text=Confirm your identity")
    use_passkey(page)
    page.wait_for_selector("#made")
    assert page.inner_text("tbody td:nth-child(2)") == "nightly <b>"


def signs_in_with_it_alone(page, home):
    """The device has asked for a fingerprint or a PIN, so neither a password nor a second step is asked for."""
    page.click("text=Sign out")
    page.goto(f"{home}/sign-in?next=/account")
    sent = []
    page.on("request", lambda request: sent.append(request) if "sign-in/passkey" in request.url else None)
    use_passkey(page)
    page.wait_for_url("**/account")
    assert page.inner_text(".account .who") == KAY
    other = page.context.browser.new_context()
    try:
        thief = other.new_page()
        thief.goto(f"{home}/sign-in")
        send_again(thief, "passkey", sent[0])
        thief.wait_for_selector("[role=alert] >> text=This passkey does not belong to an account here")
        thief.fill("#email", "nobody@example.org")
        thief.fill("#password", PASSWORD)
        thief.click("main button")
        thief.wait_for_selector("[role=alert] >> text=Incorrect email or password")
    finally:
        other.close()


def send_again(page, field, request):
    page.evaluate(
        "([field, answer]) => { const form = document.querySelector('form[data-passkey=use]');"
        "form.elements[field].value = answer; form.submit(); }",
        [field, request.post_data_json[field]],
    )


def refuses_sockets(server):
    """A session that has shown a password alone has neither the API nor a socket."""
    thief = Visitor(server).sign_in(KAY)
    assert thief.status() == 401
    with pytest.raises(socketio.exceptions.ConnectionError):
        thief.socket()


def refuses_what_was_sent_before(page, home, request):
    """An answer of a passkey is good for one question: sent again in another session it opens nothing."""
    other = page.context.browser.new_context()
    try:
        thief = other.new_page()
        sign_in(thief, home)
        thief.wait_for_url(f"**{SECOND}?next=*")
        send_again(thief, "proof_passkey", request)
        thief.wait_for_selector("[role=alert] >> text=Incorrect, or already used")
        assert ADA not in thief.content()
    finally:
        other.close()

"""Sessions in a signed cookie."""

import pytest
from flask import Flask, session

from chassis.security.sessions import Sessions


@pytest.fixture
def client():
    app = Flask("small", static_folder=None)
    app.secret_key = "a key of the tests"
    app.session_interface = Sessions()
    app.add_url_rule("/write/<value>", "write", lambda value: session.update(kept=value) or "ok")
    app.add_url_rule("/read", "read", lambda: session.get("kept", "nothing"))
    return app.test_client()


def test_a_session_lasts_from_request_to_request(client):
    client.get("/write/this")
    assert client.get("/read").text == "this"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_hidden_from_scripts_and_other_sites_and_under_tls_from_plain_http(client, scheme):
    cookie = client.get("/write/this", base_url=f"{scheme}://localhost").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) == (scheme == "https")


def test_a_request_without_the_cookie_has_an_empty_session_and_gets_no_cookie(client):
    answer = client.get("/read")
    assert answer.text == "nothing"
    assert "Set-Cookie" not in answer.headers


def test_a_forged_cookie_is_an_empty_session(client):
    client.set_cookie("session", "eyJrZXB0IjoidGhpcyJ9.aaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert client.get("/read").text == "nothing"


def test_a_cookie_of_an_earlier_key_still_opens(client):
    client.get("/write/this")
    app = client.application
    app.config.update(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=["another", "a key of the tests"])
    assert client.get("/read").text == "this"
    client.get("/write/that")
    app.config["SECRET_KEY_FALLBACKS"] = []
    assert client.get("/read").text == "that", "what is written is signed by the new key"


def test_a_cookie_of_a_key_that_is_forgotten_is_an_empty_session(client):
    client.get("/write/this")
    client.application.config.update(SECRET_KEY="a new key", SECRET_KEY_FALLBACKS=["another"])
    assert client.get("/read").text == "nothing"

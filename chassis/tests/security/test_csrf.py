"""Requests that another site's page sends in the name of a visitor, and the tokens of forms."""

import re
from types import SimpleNamespace

import pytest
from flask import Flask, render_template_string

from chassis.errors import AppError
from chassis.security import csrf, identity
from chassis.security.identity import Identity, Kind
from chassis.wiring import wire, wiring_of

OWN, FOREIGN = {"Origin": "http://localhost"}, {"Origin": "https://evil.example"}
FORM = "{{ csrf_field() }}{{ csrf_meta() }}"


def look_up(credentials):
    """Know Ada by her cookie, and a program by its key."""
    if credentials.key:
        return Identity("key", "1", "a program", identity.scopes("submit"))
    found = re.search(r"sid=(\w+)", credentials.environ.get("HTTP_COOKIE", ""))
    return Identity("account", "ada", "Ada", identity.scopes("submit"), session=found[1]) if found else None


def make(secret="a key of the tests", fallbacks=(), cors_origins=()):
    app = Flask("small")
    app.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks))
    wire(app, SimpleNamespace(cors_origins=cors_origins, guarded=False, public_read=False))
    wiring_of(app).identities["any"] = Kind(look_up, lambda _: True)
    csrf.install(app)
    app.register_error_handler(AppError, lambda error: (error.as_dict(), error.status))
    app.add_url_rule("/form", "form", lambda: render_template_string(FORM))
    app.add_url_rule("/sign-in", "sign_in", lambda: "in", methods=["POST"])
    app.add_url_rule("/api/things", "things", lambda: "made", methods=["GET", "POST", "PUT", "DELETE"])
    app.add_url_rule("/hook", "hook", csrf.exempt(lambda: "taken"), methods=["POST"])
    return app


@pytest.fixture
def visitor():
    return make().test_client()


@pytest.fixture
def ada():
    client = make().test_client()
    client.set_cookie("sid", "one")
    return client


def token(client, path="/form", **options):
    return re.search(r'name="csrf_token" value="(\w+)"', client.get(path, **options).text)[1]


def refused(answer):
    return answer.status_code == 403 and answer.json["code"] == "csrf_failed"


def test_each_form_of_a_visitor_s_first_page_works(visitor):
    visitor.application.add_url_rule("/two", "two", lambda: render_template_string(FORM + FORM))
    tokens = re.findall(r'name="csrf_token" value="(\w+)"', visitor.get("/two").text)
    answers = [visitor.post("/sign-in", data={"csrf_token": one}, headers=OWN).status_code for one in tokens]
    assert answers == [200, 200]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        FOREIGN,
        {"Origin": "null"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {**FOREIGN, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_json_with_the_cookie_is_taken_from_our_own_pages_alone(ada, method, headers):
    assert refused(ada.open("/api/things", method=method, json={}, headers=headers))
    assert refused(ada.open("/api/things", method=method, headers=headers))


@pytest.mark.parametrize("headers", [OWN, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", **OWN}])
def test_our_own_pages_send_json_without_a_token(ada, headers):
    assert ada.post("/api/things", json={}, headers=headers).text == "made"


def test_reading_and_unknown_paths_are_not_asked(ada):
    assert ada.get("/api/things", headers=FOREIGN).text == "made"
    assert ada.post("/none", headers=FOREIGN).status_code == 404


@pytest.mark.parametrize("path", ["/sign-in", "/api/things"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_with_the_cookie_needs_its_token(ada, path, kind):
    def send(**fields):
        return ada.post(path, data={"name": "x", **fields}, content_type=kind, headers=OWN)

    good = token(ada)
    assert send(csrf_token=good).status_code == 200
    for wrong in ({}, {"csrf_token": ""}, {"csrf_token": good[:-1] + "_"}, {"csrf_token": "é" * 96}):
        assert refused(send(**wrong))
    ada.set_cookie("sid", "another")
    assert refused(send(csrf_token=good))


def test_a_token_does_not_help_another_sites_page(ada):
    good = token(ada)
    assert refused(ada.post("/sign-in", data={"csrf_token": good}, headers=FOREIGN))
    assert refused(ada.post("/sign-in", data={"csrf_token": good}, headers={"Sec-Fetch-Site": "cross-site"}))


def test_scripts_send_the_token_of_the_page_as_a_header(ada):
    found = re.search(r'<meta name="csrf-token" content="(\w+)">', ada.get("/form").text)[1]
    upload = {"data": {"name": "x"}, "content_type": "multipart/form-data"}
    assert ada.post("/api/things", **upload, headers={**OWN, "X-CSRF-Token": found}).text == "made"
    assert refused(ada.post("/api/things", **upload, headers={**OWN, "X-CSRF-Token": found[:-2]}))


def test_a_form_as_plain_text_is_a_form(ada):
    assert refused(ada.post("/api/things", data='{"a": "=1"}', content_type="text/plain", headers=OWN))


def test_the_form_of_a_visitor_has_a_token_of_its_own_cookie(visitor):
    good = token(visitor)
    cookie = visitor.get_cookie("csrf")
    assert (cookie.http_only, cookie.same_site, cookie.max_age) == (True, "Lax", 3600)
    assert visitor.post("/sign-in", data={"csrf_token": good}, headers=OWN).text == "in"
    assert token(visitor) != good
    assert visitor.post("/sign-in", data={"csrf_token": good}, headers=OWN).text == "in", "a second tab breaks no first"
    assert refused(visitor.post("/sign-in", data={"a": "b"}, headers=OWN))
    assert refused(visitor.post("/sign-in", data={"csrf_token": good}, headers=FOREIGN))
    visitor.delete_cookie("csrf")
    assert refused(visitor.post("/sign-in", data={"csrf_token": good}, headers=OWN))


def test_under_tls_the_visitors_cookie_is_for_this_host_alone(visitor):
    answer = visitor.get("/form", base_url="https://localhost")
    assert answer.headers["Set-Cookie"].startswith("__Host-csrf=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_visitors_token_ends_with_the_sign_in(visitor):
    good = token(visitor)
    visitor.set_cookie("sid", "one")
    assert refused(visitor.post("/sign-in", data={"csrf_token": good}, headers=OWN))


def test_programs_without_a_cookie_need_nothing(visitor):
    assert visitor.post("/api/things", json={}).text == "made"
    assert visitor.post("/api/things", data={"name": "x"}).text == "made"
    assert refused(visitor.post("/api/things", json={}, headers=FOREIGN)), "a page that looks for servers on a laptop"


def test_a_key_is_free_of_it_also_beside_a_cookie(ada):
    for headers in (FOREIGN, {}):
        assert ada.post("/sign-in", data={"a": "b"}, headers={**headers, "X-API-Key": "good"}).text == "in"


def test_an_exempt_view_proves_by_itself_who_sends(visitor):
    assert visitor.post("/hook", data={"a": "b"}, headers=FOREIGN).text == "taken"


def test_trusted_origins_send_json_and_a_star_counts_for_visitors_alone():
    app = make(cors_origins=("*", "https://app.example"))
    assert app.test_client().post("/api/things", json={}, headers=FOREIGN).text == "made"
    ada = app.test_client()
    ada.set_cookie("sid", "one")
    assert refused(ada.post("/api/things", json={}, headers=FOREIGN))
    assert ada.post("/api/things", json={}, headers={"Origin": "https://app.example"}).text == "made"


def test_a_form_that_was_open_while_the_key_was_changed_still_works(ada):
    old = token(ada)
    for fallbacks, works in ((["a key of the tests"], True), ([], False)):
        client = make("a new key of the tests", fallbacks).test_client()
        client.set_cookie("sid", "one")
        answer = client.post("/sign-in", data={"csrf_token": old}, headers=OWN)
        assert (answer.status_code == 200) == works

"""The headers of every answer."""

import re

import pytest
from flask import Flask, Response, render_template_string, send_file
from werkzeug.wrappers import Response as BaseResponse

from chassis.security import headers, identity

INLINE = '<script nonce="{{ csp_nonce() }}">1</script><style nonce="{{ csp_nonce() }}"></style>'


@pytest.fixture
def client():
    app = Flask("small")
    headers.install(app)
    app.add_url_rule("/", "home", lambda: "ok")
    own = {"X-Frame-Options": "SAMEORIGIN", "content-security-policy": "default-src 'none'"}
    app.add_url_rule("/own", "own", lambda: ("ok", own))
    app.add_url_rule("/inline", "inline", lambda: render_template_string(INLINE))
    app.add_url_rule("/kept", "kept", lambda: ("ok", {"Cache-Control": "public, max-age=60"}))
    app.add_url_rule("/file", "file", lambda: send_file(__file__, as_attachment=True, max_age=60))
    return app.test_client()


def policy(answer):
    sent = answer.headers.getlist("Content-Security-Policy")
    assert len(sent) == 1
    return dict(part.strip().split(" ", 1) for part in sent[0].split(";"))


@pytest.mark.parametrize("path", ["/", "/missing", "/inline"])
def test_every_answer_has_them(client, path):
    sent = client.get(path).headers
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["X-Frame-Options"] == "DENY"
    assert sent["Referrer-Policy"] == "same-origin"
    assert "camera=()" in sent["Permissions-Policy"]
    assert sent["Cross-Origin-Opener-Policy"] == sent["Cross-Origin-Resource-Policy"] == "same-origin"
    assert len({name.lower() for name, _ in sent}) == len(sent), "each once"


def test_scripts_and_styles_come_from_here_alone_and_nobody_frames_us(client):
    sent = policy(client.get("/"))
    for kind in ("default-src", "script-src", "style-src", "connect-src", "form-action"):
        assert sent[kind] == "'self'"
    assert sent["object-src"] == sent["frame-ancestors"] == sent["base-uri"] == "'none'"
    assert "unsafe" not in str(sent)


def test_an_inline_script_runs_by_the_nonce_of_its_page_alone(client):
    first, second = (client.get("/inline") for _ in range(2))
    nonces = [set(re.findall(r'nonce="([\w-]{22})"', answer.text)) for answer in (first, second)]
    assert [len(found) for found in nonces] == [1, 1]
    assert nonces[0] != nonces[1]
    assert policy(first)["script-src"] == policy(first)["style-src"] == f"'self' 'nonce-{nonces[0].pop()}'"
    assert policy(first)["default-src"] == "'self'"


def test_browsers_are_told_to_stay_with_tls_where_it_is(client):
    assert "Strict-Transport-Security" not in client.get("/").headers
    assert client.get("/", base_url="https://localhost").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_routes_own_header_stays(client):
    sent = client.get("/own").headers
    assert sent.getlist("X-Frame-Options") == ["SAMEORIGIN"]
    assert sent.getlist("Content-Security-Policy") == ["default-src 'none'"]
    assert sent["X-Content-Type-Options"] == "nosniff"


class Shouting(Response):
    def get_app_iter(self, environ):
        return [part.upper() for part in super().get_app_iter(environ)]


def test_an_answer_that_a_hook_or_a_route_made_by_itself_has_them_too():
    app = Flask("small")
    headers.install(app)
    app.add_url_rule("/", "home", lambda: "ok")
    app.add_url_rule("/own", "own", lambda: Shouting("own"))
    app.add_url_rule("/plain", "plain", lambda: BaseResponse("plain"))
    client = app.test_client()
    for path, text in (("/own", "OWN"), ("/plain", "plain")):
        answer = client.get(path)
        assert (answer.text, answer.headers["X-Frame-Options"]) == (text, "DENY")
    app.after_request_funcs.setdefault(None, []).append(lambda _answer: Response("another"))
    answer = client.get("/")
    assert (answer.text, answer.headers["X-Frame-Options"]) == ("another", "DENY")
    app.after_request_funcs[None].append(lambda answer: 1 / 0)
    answer = client.get("/")
    assert (answer.status_code, answer.headers["X-Frame-Options"]) == (500, "DENY")


def test_a_hook_may_add_an_inline_script_and_a_mail_may_ask_for_a_nonce():
    app = Flask("small")
    headers.install(app)
    app.add_url_rule("/", "home", lambda: "ok")
    app.after_request(lambda answer: Response(render_template_string(INLINE)))
    with app.app_context():
        (mailed,) = set(re.findall(r'nonce="([\w-]{22})"', render_template_string(INLINE)))
    answer = app.test_client().get("/")
    (shown,) = set(re.findall(r'nonce="([\w-]{22})"', answer.text))
    assert shown != mailed
    assert policy(answer)["script-src"] == f"'self' 'nonce-{shown}'"


@pytest.mark.parametrize("sent", [{"X-API-Key": "right or wrong"}, {"Authorization": "Bearer x"}])
def test_no_cache_keeps_what_a_key_is_told(client, sent):
    assert "Cache-Control" not in client.get("/").headers
    for path in ("/", "/missing"):
        assert client.get(path, headers=sent).headers["Cache-Control"] == "private, no-store"
    assert client.get("/kept", headers=sent).headers["Cache-Control"] == "public, max-age=60"


def test_no_cache_keeps_what_is_made_for_a_session(client):
    who = identity.Identity("account", "1", "ada", identity.scopes("read"))
    known = {identity.FOUND: {"": who}}
    assert client.get("/", environ_overrides=known).headers["Cache-Control"] == "private, no-store"


def test_no_cache_keeps_a_download(client):
    assert client.get("/file").headers["Cache-Control"] == "private, no-store"

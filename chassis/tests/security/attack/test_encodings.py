"""Bytes and characters that are no text fail no request and no event, and lock nobody out."""

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from chassis.security import decoding
from chassis.security.keys import digest
from chassis.tests.security.conftest import CLIENT, ask
from chassis.tests.server import wire

NO_TEXT = ("\xe9", "\xff\xfe", "\xed\xa0\x80", "\xe2\x82")  # bytes, as WSGI passes them on
LONE = '"\\ud83d"'
IMPOSSIBLE = ("Mon, 01 Jan 2020 00:00:00 +99999999999999", f"1 Jan 2020 {'9' * 20}:00:00 GMT")
CONDITIONS = ("If-Modified-Since", "If-Unmodified-Since", "If-Range", "Date")


def passed_on(**environ):
    """Return what the application gets of an environment."""
    seen = {}

    def application(got, start_response):
        seen.update(got)
        start_response("200 OK", [])
        return []

    run_wsgi_app(decoding.wrapped(application), EnvironBuilder().get_environ() | environ)
    return seen


@pytest.mark.parametrize("other", NO_TEXT)
def test_a_cookie_that_is_no_text_is_dropped_and_the_others_stay(other):
    cookies = f"first=1; other={other}; name{other}=x; account=abc; greeting=\xc3\xa9"
    assert passed_on(HTTP_COOKIE=cookies)["HTTP_COOKIE"] == "first=1; account=abc; greeting=\xc3\xa9"
    assert passed_on(HTTP_COOKIE="first=1; account=abc")["HTTP_COOKIE"] == "first=1; account=abc"


@pytest.mark.parametrize("other", NO_TEXT)
def test_a_query_keeps_its_bytes_in_a_form_that_can_be_read(other):
    query = passed_on(QUERY_STRING=f"a=%20b+c&d={other}")["QUERY_STRING"]
    assert query == "a=%20b+c&d=" + "".join(f"%{ord(byte):02X}" for byte in other)


def test_a_key_with_a_lone_surrogate_is_wrong_and_nothing_worse():
    assert digest("\ud83d") != digest("\udc80") != digest("")


@pytest.mark.parametrize("other", NO_TEXT)
def test_no_header_and_no_query_fails_a_request(attacked, other):
    headers = {"Cookie": f"theirs={other}; account=x", "User_Agent": other, "X_API_Key": CLIENT, "Referer": other}
    for path in ("/", "/api/jobs", "/static/app.css", "/nowhere"):
        expected = ask(attacked, path, X_API_Key=CLIENT).status
        assert ask(attacked, path, **headers).status == expected, path
    refused = wire.Wire(attacked.port).request("GET", f"/api/jobs?limit={other}", {"X-API-Key": CLIENT, "Host": "x"})
    assert refused.answer()[0] == 400
    wrong = wire.Wire(attacked.port).request("GET", f"/socket.io/?EIO=4&transport={other}", {"Host": "localhost"})
    assert wrong.answer()[0] == 400


def test_lone_surrogates_in_a_socket_s_packets_are_refused_without_a_traceback(attacked):
    for shown in (f'{{"key":{LONE}}}', f"{{{LONE}:{LONE}}}"):
        client, _ = wire.open_session(attacked.port)
        assert client.text("40" + shown).read_text().startswith("44{")
        client.end()
    client, _ = wire.open_session(attacked.port)
    assert client.text(f'40{{"key":"{CLIENT}"}}').read_text().startswith("40{")
    client.text(f"42[{LONE},{LONE}]")  # which has no handler
    for event in (f'["job:subscribe",{{"id":{LONE}}}]', f'["job:subscribe",{LONE}]'):
        assert '"ok":false' in client.text(f"421{event}").read_text()
    client.end()
    assert "internal_error" not in attacked.log
    assert "Traceback" not in attacked.log


@pytest.mark.parametrize("header", CONDITIONS)
@pytest.mark.parametrize("date", IMPOSSIBLE)
def test_an_impossible_date_is_no_condition(attacked, header, date):
    for path in ("/static/app.css", "/favicon.ico"):
        assert wire.Wire(attacked.port).request("GET", path, {header: date, "Host": "localhost"}).answer()[0] == 200
    assert "Traceback" not in attacked.log


def test_a_range_goes_with_the_date_that_it_depends_on():
    headers = {"HTTP_IF_RANGE": IMPOSSIBLE[0], "HTTP_RANGE": "bytes=0-1"}
    assert not headers.keys() & passed_on(**headers).keys()
    good = headers | {"HTTP_IF_RANGE": "Wed, 01 Jan 2020 00:00:00 GMT", "HTTP_IF_MODIFIED_SINCE": "yesterday"}
    assert good.items() <= passed_on(**good).items()

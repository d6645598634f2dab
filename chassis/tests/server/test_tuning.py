"""What gunicorn does once instead of for each request."""

from types import SimpleNamespace

import pytest
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidHeader, InvalidHeaderName
from gunicorn.http.message import HeaderPolicy

from chassis.security import headers
from chassis.server.patches import for_gunicorn

HEADERS = [("X-Frame-Options", "DENY"), ("X-Padded", " word\t"), ("Content-Length", "3"), ("Connection", "Upgrade")]
BROKEN = [("X-Injected", "1\r\nX-More: 2"), ("Bad Name", "1"), ("X-Number", 1)]


def test_the_date_of_a_response_is_gunicorns_and_formatted_once_a_second(monkeypatch):
    formatted, format_date = [], util.http_date

    def http_date(timestamp=None):
        formatted.append(timestamp)
        return format_date(timestamp)

    monkeypatch.setattr(util, "http_date", http_date)
    for_gunicorn.format_dates_once_a_second()
    dates = [util.http_date(at) for at in (0.0, 0.9, 1.0)]
    assert dates == ["Thu, 01 Jan 1970 00:00:00 GMT"] * 2 + ["Thu, 01 Jan 1970 00:00:01 GMT"]
    assert formatted == [0, 1]
    monkeypatch.setattr("chassis.server.patches.for_gunicorn.time.time", lambda: 86_400.5)
    assert util.http_date() == "Fri, 02 Jan 1970 00:00:00 GMT"


def test_gunicorns_check_of_the_peer_is_skipped_only_if_it_trusts_no_header(monkeypatch):
    def check(self):
        return self.headers, []

    monkeypatch.setattr(HeaderPolicy, "_peer_trusted_for_forwarded", check)
    for_gunicorn.trust_no_peer(SimpleNamespace(secure_scheme_headers={"X-SCHEME": "https"}, forwarder_headers=[]))
    assert HeaderPolicy._peer_trusted_for_forwarded is check
    for_gunicorn.trust_no_peer(SimpleNamespace(secure_scheme_headers={}, forwarder_headers=["PATH_INFO"]))
    assert HeaderPolicy._peer_trusted_for_forwarded is check
    for_gunicorn.trust_no_peer(SimpleNamespace(secure_scheme_headers={}, forwarder_headers=[]))
    assert HeaderPolicy._peer_trusted_for_forwarded(SimpleNamespace(headers={"X-SCHEME": "https"})) == ({}, [])


def answered(headers):
    response = wsgi.Response(None, None, None)
    response.process_headers(headers)
    return vars(response)


@pytest.fixture
def same_headers(monkeypatch):
    """Return a function that makes gunicorn check some headers only once."""
    monkeypatch.setattr(wsgi.Response, "process_headers", wsgi.Response.process_headers)

    def begin(*headers):
        monkeypatch.setattr(for_gunicorn, "same_headers", set(headers))
        for_gunicorn.check_same_headers_once()

    return begin


def test_headers_that_are_checked_once_are_sent_as_before(same_headers):
    own = ("Content-Type", "text/plain")
    before = [answered([own, header]) for header in HEADERS]
    same_headers(*HEADERS)
    assert [answered([own, header]) for header in HEADERS] == before
    assert answered([HEADERS[0], own])["headers"] == [own, HEADERS[0]]


@pytest.mark.parametrize("header", BROKEN)
def test_a_header_that_gunicorn_refuses_is_refused_beside_those_that_are_checked_once(same_headers, header):
    same_headers(HEADERS[0])
    with pytest.raises((InvalidHeader, InvalidHeaderName, TypeError)):
        answered([header, HEADERS[0]])


def test_the_headers_of_every_response_are_checked_once():
    assert set(headers.HEADERS.items()) <= for_gunicorn.same_headers

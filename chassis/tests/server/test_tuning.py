"""What gunicorn does once instead of for each request."""

from types import SimpleNamespace

from gunicorn import util
from gunicorn.http.message import HeaderPolicy

from chassis.server.patches import for_gunicorn


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

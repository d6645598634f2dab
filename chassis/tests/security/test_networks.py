"""Who is let in by address and by origin."""

import ipaddress

import pytest

from chassis.security.networks import allowed
from chassis.security.origins import origin_check

NETWORKS = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "10.1.0.0/16", "::1/128")]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::1", True),
        ("::ffff:10.1.0.9", True),
        ("::ffff:10.2.0.9", False),
        ("", False),
        (None, False),
        ("unix:", False),
    ],
)
def test_an_address_is_in_a_network_or_not(address, expected):
    assert allowed(address, NETWORKS) is expected


@pytest.mark.parametrize(
    ("origin", "headers", "expected"),
    [
        (None, {}, True),
        ("http://here.example", {}, True),
        ("https://here.example", {}, False),
        ("https://here.example", {"wsgi.url_scheme": "https", "HTTP_HOST": "here.example:443"}, True),
        ("https://friend.example", {}, True),
        ("https://foe.example", {}, False),
        ("https://here.example", {"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ("https://here.example.foe.example", {"wsgi.url_scheme": "https"}, False),
    ],
)
def test_an_origin_is_ours_or_listed_or_refused(origin, headers, expected):
    environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "here.example", **headers}
    assert origin_check(["https://friend.example"])(origin, environ) is expected

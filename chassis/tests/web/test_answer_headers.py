"""No answer of any route carries a header twice, or names its charset twice."""

import http.client
import re
from collections import Counter

import pytest

from app import create_app
from chassis.settings import Settings
from chassis.tests.patience import LIMIT_SECONDS

FRIEND, ADMIN = "https://friend.example", "an-admin-of-the-headers-0123456789abcdef"
SEVERAL = {"set-cookie"}  # the only field of ours that may come in several lines
PART = re.compile(r"<[^>]*>")
ACCEPTED = ("text/html", "application/json", "*/*")


def faults(headers):
    """Return what is there twice: names, and parts of the fields that are lists."""
    names = Counter(name.lower() for name, _ in headers)
    found = [name for name, number in names.items() if number > 1 and name not in SEVERAL]
    for name, value in headers:
        parts = Counter(part.strip().partition("=")[0].lower() for part in re.split("[;,]", value))
        if name.lower() in ("content-type", "vary", "cache-control"):
            found += [f"{name}: {value}" for number in parts.values() if number > 1]
    return found


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("headers")
    return create_app(
        Settings(
            app_env="test",
            database_url=f"sqlite:///{folder}/app.db",
            cors_origins=(FRIEND,),
            admin_api_key=ADMIN,
            rate_limit_default="100000 per hour",
        )
    )


@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize("key", ["", ADMIN, "wrong"])
def test_no_route_answers_with_a_header_or_a_charset_twice(app, accept, key):
    client, asked = app.test_client(), 0
    headers = {"Accept": accept, "Origin": FRIEND} | ({"X-API-Key": key} if key else {})
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"CONNECT", "TRACE"}):
            path = PART.sub("app.css" if rule.endpoint == "static" else "none", rule.rule)
            answer = client.open(path, method=method, headers=headers)
            assert faults(answer.headers) == [], f"{method} {path}"
            asked += 1
    assert asked > 20


@pytest.mark.server
def test_nor_does_an_answer_over_the_wire(shared):
    socket = "/socket.io/?EIO=4&transport=polling"
    for path in (
        "/",
        "/metrics",
        "/healthz",
        "/static/app.css",
        "/nothing",
        socket,
        f"{socket}&sid=none",
        "/socket.io/",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            one = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=LIMIT_SECONDS)
            one.request(method, path, headers={"Origin": shared.url, "Accept-Encoding": "gzip"})
            answer = one.getresponse()
            assert faults(answer.getheaders()) == [], f"{method} {path}"
            one.close()

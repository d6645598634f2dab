"""Requests by names that are not ours: a site whose name means this machine (DNS rebinding), and poisoned links."""

import http.client
from types import SimpleNamespace

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from chassis.errors import AppError
from chassis.security import hosts
from chassis.settings import Settings
from chassis.tests.conftest import ASYNC_MODE, SERVE, Server, free_port
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.security.conftest import ask, connect, rest
from chassis.wiring import wire

EVIL = "evil.example"


def passes(settings: dict, host: str, path: str = "/api/jobs") -> bool:
    """Return whether a request by that name reaches the application unmarked."""
    seen = []
    app = SimpleNamespace(wsgi_app=lambda environ, _start: seen.append(environ) or [])
    hosts.wrap(app, Settings(**settings))
    app.wsgi_app({"HTTP_HOST": host, "PATH_INFO": path} if host else {"PATH_INFO": path}, None)
    return hosts.REFUSED not in seen[0]


DEVELOPMENT = {"app_env": "development"}
PRODUCTION = {"app_env": "production"}
NAMED = {**PRODUCTION, "public_url": "https://app.example.org/", "allowed_hosts": ("other.example", ".below.example")}


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "LOCALHOST", "a.localhost:1", "127.0.0.1:5000", "[::1]", "192.168.1.7:5000"]
)
def test_in_development_this_machines_names_and_addresses_pass(host):
    assert passes(DEVELOPMENT, host)


@pytest.mark.parametrize(
    "host",
    [
        EVIL,
        f"{EVIL}:5000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "a b",
        "a/b",
        "é",
        "[::1",
        "1::2",
        "localhost:5000:5000",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/jobs", "/metrics", "/socket.io/", "/static/app.css", "/livez/", "//livez"])
def test_in_development_no_other_name_does(host, path):
    assert not passes(DEVELOPMENT, host, path)


@pytest.mark.parametrize(
    "host",
    [
        "app.example.org",
        "app.example.org:443",
        "App.Example.Org",
        "app.example.org.",
        "other.example",
        "a.below.example",
        "localhost:5000",
        "127.0.0.1",
    ],
)
def test_in_production_the_listed_names_pass(host):
    assert passes(NAMED, host)


@pytest.mark.parametrize(
    "host",
    [
        EVIL,
        "below.example",
        "xbelow.example",
        "example.org",
        "x.app.example.org",
        "10.0.0.7:5000",
        "",
        "app.example.org@evil.example",
    ],
)
def test_in_production_no_other_name_or_address_does(host):
    assert not passes(NAMED, host)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
@pytest.mark.parametrize("host", ["10.0.0.7:5000", "the_app", "the-app.default.svc:5000", "", EVIL])
def test_probes_pass_by_every_name(path, host):
    assert passes(NAMED, host, path)
    assert passes(DEVELOPMENT, host, path)


def test_metrics_are_scraped_by_address_or_by_a_name_of_the_inner_network(path="/metrics"):
    assert passes(NAMED, "10.0.0.7:5000", path)
    assert passes(NAMED, "[fd00::7]:5000", path)
    assert passes(NAMED, "app:5000", path)
    assert not passes(NAMED, EVIL, path)


@pytest.mark.parametrize("settings", [PRODUCTION, {"app_env": "test"}, {**NAMED, "allowed_hosts": ("*",)}])
def test_where_nothing_is_listed_every_name_passes(settings):
    assert passes(settings, EVIL)


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        (PRODUCTION, ""),
        ({**PRODUCTION, "allowed_hosts": (EVIL,)}, ""),
        (NAMED, "https://app.example.org"),
        (DEVELOPMENT, "http://localhost"),
        ({**DEVELOPMENT, "public_url": "http://me.example:8000"}, "http://me.example:8000"),
    ],
)
def test_links_do_not_come_from_the_request_in_production(settings, base):
    app = Flask("small")
    wire(app, Settings(**settings))
    with app.test_request_context("/"):
        assert hosts.link_base() == base


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    env = {"APP_ENV": "development", "PORT": str(free_port()), "LOG_FORMAT": "json"}
    server = Server(folder, SERVE, {**env, "DATABASE_URL": f"sqlite:///{folder}/app.db", "ASYNC_MODE": ASYNC_MODE})
    yield server.wait_ready()
    server.stop()


def test_both_doors_are_closed_to_other_names(served):
    handshake = "/socket.io/?EIO=4&transport=polling"
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    upgrade["Sec_WebSocket_Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    for path, headers in (
        ("/api/jobs", {}),
        ("/", {}),
        (handshake, {}),
        (handshake.replace("polling", "websocket"), upgrade),
    ):
        answer = ask(served, path, Host=EVIL, Accept="application/json", **headers)
        assert (answer.status, answer.json["error"]["code"]) == (421, "misdirected_request"), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(served, handshake).status == 200
    assert ask(served, "/livez", Host=EVIL).status == 200
    assert served.log.count("host_refused") == 1


def test_a_request_without_a_host_reaches_the_probes_alone(served):
    for path, status in (("/livez", 200), ("/api/jobs", 421)):
        one = http.client.HTTPConnection("127.0.0.1", served.port, timeout=LIMIT_SECONDS)
        one._http_vsn, one._http_vsn_str = 10, "HTTP/1.0"
        one.putrequest("GET", path, skip_host=True)
        one.endheaders()
        assert one.getresponse().status == status
        one.close()


MALFORMED = ["a:5'0", "a<b", "", "a:99999", "a,b", "a b", "a@b", "[1::2::3]", "[::1"]


@pytest.mark.parametrize("settings", [DEVELOPMENT, PRODUCTION, NAMED])
@pytest.mark.parametrize("host", MALFORMED)
def test_what_is_neither_a_name_nor_an_address_is_a_bad_request(settings, host):
    app = Flask("a")
    app.errorhandler(AppError)(lambda error: (error.code, error.status))
    hosts.install(app)
    hosts.wrap(app, Settings(**settings))
    for path in ("/", "/livez", "/socket.io/"):
        body, status, _ = run_wsgi_app(app.wsgi_app, create_environ(path) | {"HTTP_HOST": host})
        assert (status, b"".join(body)) == ("400 BAD REQUEST", b"bad_host")


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"http://{EVIL}/", 421),
        (f"HTTP://{EVIL}/livez", 200),
        (f"http://{EVIL}/socket.io/?EIO=4&transport=polling", 421),
        ("http://localhost/api/jobs", 200),
        ("http://a<b/", 400),
        (f"http://localhost@{EVIL}/", 400),
    ],
)
def test_the_host_of_a_whole_url_counts(served, target, status):
    assert asked_for(served, target)[0] == status


@pytest.mark.parametrize(
    "target", [f"//{EVIL}", f"//{EVIL}/", f"//{EVIL}/..", f"/\\{EVIL}", f"/%2f{EVIL}", f"//{EVIL}/sign-in"]
)
def test_no_path_is_taken_for_another_host(served, target):
    status, location = asked_for(served, target)
    assert (status, location) == (404, None)


def asked_for(server: Server, target: str) -> tuple[int, str | None]:
    """Return the status, and where it leads, of a request for a target that is written as it is."""
    with connect(server) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = rest(connection).partition(b"\r\n\r\n")[0].decode("latin-1")
    led = [line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("location:")]
    return int(head.split()[1]), led[0] if led else None

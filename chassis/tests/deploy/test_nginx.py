"""The shipped nginx site with TLS, live in front of a real server."""

import contextlib
import http.client
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest
import requests
import socketio

from chassis.base.service import current
from chassis.settings import Settings
from chassis.tests.conftest import ASYNC_MODE, ROOT, SERVE, Server, free_port, new_database
from chassis.tests.deploy.site import nginx, told
from chassis.tests.patience import LIMIT_SECONDS

OUTSIDE = "127.0.0.2"  # loopback too, but not the address that the site allows
SECURITY_HEADERS = ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    env = {"APP_ENV": "test", "PORT": str(free_port()), "DATABASE_URL": new_database(folder)}
    env |= {
        "TRUSTED_PROXIES": "127.0.0.1",
        "ASYNC_MODE": ASYNC_MODE,
        "CORS_ORIGINS": "https://friend.example",
        "LOG_FORMAT": "json",
    }
    running = Server(folder, SERVE, env).wait_ready()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def site(server, tool, tmp_path_factory):
    with nginx(tmp_path_factory.mktemp("nginx"), tool, server.port) as running:
        yield running


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that it got."""

    def do_GET(self):
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def echo():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        yield upstream.server_port
        upstream.shutdown()


def session_to(site):
    session = requests.Session()
    session.trust_env, session.verify = False, site.certificate
    return session


def client(site, origin=None):
    session = session_to(site)
    session.headers["Origin"] = origin or site.origin
    options = {"origin": origin or site.origin, "sslopt": {"ca_certs": site.certificate}}
    return socketio.Client(http_session=session, websocket_extra_options=options, request_timeout=LIMIT_SECONDS)


@pytest.mark.parametrize("origin", [None, "https://friend.example"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_both_transports_pass_from_the_page_and_from_a_friend(site, transport, origin):
    one = client(site, origin)
    one.connect(site.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)
    assert one.transport() == transport
    assert told(one, "job:subscribe", {"id": "none"})["error"]["code"] == "not_found"
    one.disconnect()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize("origin", ["https://foe.example", "http://localhost", "https://localhost"])
def test_another_origin_is_refused(site, transport, origin):
    with pytest.raises(socketio.exceptions.ConnectionError):
        client(site, origin).connect(site.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)


def test_a_page_comes_over_http_2_and_with_tls_1_2_or_newer(site, tool):
    command = [
        tool("curl"),
        "-s",
        "--http2",
        "--cacert",
        site.certificate,
        "-w",
        "\n%{http_version} %{http_code}",
        "-L",
    ]
    found = subprocess.run([*command, site.origin], capture_output=True, text=True, check=True).stdout
    assert "<main" in found
    assert found.splitlines()[-1] == "2 200"
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert handshake(site, version) == "h2"
    with pytest.warns(DeprecationWarning), pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        handshake(site, ssl.TLSVersion.TLSv1_1)


def handshake(site, version, name="localhost"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(site.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # so that it is the server who refuses
    context.minimum_version = context.maximum_version = version
    plain = socket.create_connection(("127.0.0.1", site.port), LIMIT_SECONDS)
    with plain, context.wrap_socket(plain, server_hostname=name) as wrapped:
        return wrapped.selected_alpn_protocol()


def test_other_names_are_not_served(site):
    with pytest.raises(ssl.SSLError, match="unrecognized name"):
        handshake(site, ssl.TLSVersion.TLSv1_2, "other.example")
    with pytest.raises(ConnectionError):
        site.ask("/", plain=True, Host="other.example")
    with pytest.raises(ConnectionError):
        site.ask("/", Host="other.example")


def test_no_header_comes_twice(site):
    paths = ("/livez", "/", "/static/app.css", "/nothing", "/metrics/", "/socket.io/?EIO=9")
    for path, source in ((path, source) for path in paths for source in ("127.0.0.1", OUTSIDE)):
        headers = site.ask(path, source=source)[1]
        assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "nginx"
        names = [name.lower() for name in headers]
        assert len(names) == len(set(names)), (path, names)


def test_a_page_keeps_the_headers_of_the_service(site, server):
    own = requests.get(f"{server.url}/livez", timeout=LIMIT_SECONDS).headers
    through = site.ask("/livez")[1]
    for name in ("X-Frame-Options", "Content-Security-Policy", "Referrer-Policy"):
        assert through[name] == own[name]


def test_plain_http_goes_to_https_but_for_the_challenge(site):
    status, headers, _ = site.ask("/a/page?x=1", plain=True)
    assert (status, headers["Location"]) == (308, f"{site.origin}/a/page?x=1")
    challenge = site.www / ".well-known/acme-challenge/token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    assert site.ask("/.well-known/acme-challenge/token", plain=True)[::2] == (200, "proof")


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/admin/x"])
def test_metrics_and_admin_are_for_this_machine(site, path):
    assert site.ask(path, source=OUTSIDE)[0] == 403
    assert site.ask(path)[0] in (200, 308, 401, 404)  # what the service says


def test_a_body_that_is_too_large_is_refused_with_a_page(site):
    status, _, page = site.ask("/api/jobs", "POST", b"", Content_Length="30000000")
    assert status == 413
    assert "larger than this service accepts" in page


def test_static_files_come_from_the_release_and_else_from_the_service(site, server, tool, tmp_path):
    parts = [ROOT / "chassis/parts" / name for name in current().parts]
    scripts = [file for part in (*ROOT.glob("app/features/*"), *parts) for file in part.glob("static/*.js")]
    paths = ["/static/app.css", *(f"/static/{file.parents[1].name}/{file.name}" for file in scripts)]
    paths += [f"/static/vendor/{file.name}" for file in ROOT.glob("chassis/web/static/vendor/*.js")]
    with nginx(tmp_path, tool, server.port, release=tmp_path / "none") as elsewhere:
        for path in paths:
            served, passed = site.ask(path, Accept_Encoding="gzip"), elsewhere.ask(path)
            assert (served[0], served[1]["X-Request-ID"], passed[0]) == (200, None, 200), path
            assert passed[1]["X-Request-ID"]
            assert site.ask(path)[2] == passed[2]
            assert served[1]["Cache-Control"] == passed[1]["Cache-Control"] == "no-cache"
            assert served[1]["Content-Type"].split(";")[0].replace("application", "text") == (
                passed[1]["Content-Type"].split(";")[0].replace("application", "text")
            )
            assert site.ask(path, If_None_Match=served[1]["ETag"])[0] == 304
    assert site.ask("/static/app.css", Accept_Encoding="gzip")[1]["Content-Encoding"] == "gzip"
    assert site.ask("/static/../settings.py")[0] == 404
    assert site.ask("/static/vendor/../../settings.py")[0] == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_maintenance_is_a_file(site, method):
    flag = site.www / "maintenance"
    flag.touch()
    try:
        status, headers, page = site.ask("/", method)
        assert (status, headers["Retry-After"]) == (503, "60")
        assert "working on this service" in page
        assert site.ask("/static/app.css")[0] == site.ask("/socket.io/?EIO=4&transport=polling")[0] == 503
    finally:
        flag.unlink()
    assert site.ask("/livez")[0] == 200
    assert site.ask("/maintenance.html")[0] == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_that_is_down_has_a_page(tool, tmp_path, method):
    with nginx(tmp_path, tool, free_port()) as site:
        status, headers, page = site.ask("/", method)
    assert (status, headers["Retry-After"]) == (502, "5")
    assert "not responding right now" in page
    assert headers["Strict-Transport-Security"]


def test_the_pages_need_nothing_else():
    for page in (ROOT / "deploy/nginx/pages").iterdir():
        found = [word for word in ("src=", "url(", "@import", "<link", "<script", "http") if word in page.read_text()]
        assert not found, page


def test_the_client_address_arrives_and_cannot_be_claimed(echo, tool, tmp_path):
    with nginx(tmp_path, tool, echo) as site:
        got = json.loads(site.ask("/", source="127.0.0.5", X_Forwarded_For="6.6.6.6", Forwarded="for=6.6.6.6")[2])
        assert (got["X-Forwarded-For"], got["X-Real-IP"]) == ("127.0.0.5", "127.0.0.5")
        assert "Forwarded" not in got
        assert (got["Host"], got["X-Forwarded-Proto"]) == (f"localhost:{site.port}", "https")
        assert len(got["X-Request-ID"]) == 32


def test_the_numbers_fit_the_defaults_of_the_settings():
    site, settings = (ROOT / "deploy/nginx/app.conf").read_text(), Settings()
    waits = [int(seconds) for seconds in re.findall(r"proxy_read_timeout (\d+)s", site)]
    assert max(waits) > settings.socket_ping_interval_seconds + settings.socket_ping_timeout_seconds
    body = int(re.search(r"client_max_body_size (\d+)m", site)[1]) * 1024 * 1024
    assert settings.max_upload_bytes < body < settings.max_upload_bytes * 1.1
    files = int(re.findall(r"client_max_body_size (\d+)m", site)[1]) * 1024 * 1024
    assert settings.max_files_body < files < settings.max_files_body * 1.1
    assert f"127.0.0.1:{settings.port}" in site


def test_a_burst_is_answered_429_and_others_are_served(site):
    with contextlib.ExitStack() as opened:
        clients = [browser(site, opened, "127.0.0.9") for _ in range(190)]
        for client in clients:  # all at once, so that a slow machine asks in a burst as well
            client.request("GET", "/livez")
        answers = [client.getresponse() for client in clients]
        assert {answer.status for answer in answers} == {200, 429}
        assert sum(answer.status == 200 for answer in answers) > 100
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.headers["Retry-After"] == "1"
        assert "too many requests: wait a moment" in refused.read().decode()
    assert site.ask("/livez")[0] == 200


def browser(site, opened, source):
    """Return a connection from one of this machine's addresses, on which nothing has been asked."""
    options = {"source_address": (source, 0), "context": site.context, "timeout": LIMIT_SECONDS}
    client = http.client.HTTPSConnection("localhost", site.port, **options)
    client.connect()
    opened.callback(client.close)
    return client


def test_an_address_has_200_connections(site):
    with contextlib.ExitStack() as opened:
        answers = [upgrade(site, opened, "127.0.0.10") for _ in range(203)]
        assert answers == [b"101"] * 200 + [b"429"] * 3
        assert upgrade(site, opened, "127.0.0.11") == b"101"


def upgrade(site, opened, source):
    """Open a websocket as a browser does, and keep it; return the answer's status."""
    plain = socket.create_connection(("127.0.0.1", site.port), LIMIT_SECONDS, source_address=(source, 0))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one = opened.enter_context(site.context.wrap_socket(plain, server_hostname="localhost"))
    fields = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        + "A" * 22
        + "=="
    )
    path = "/socket.io/?EIO=4&transport=websocket"
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{site.port}\r\n{fields}\r\n\r\n".encode())
    return one.recv(4096).split(b" ")[1]

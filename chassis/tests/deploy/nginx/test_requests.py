"""What the shipped nginx site passes on, answers by itself, adds and hides."""

import http.server
import json
import re
import threading

import pytest
import requests

from chassis.base.service import current
from chassis.settings import Settings
from chassis.tests.conftest import ROOT
from chassis.tests.deploy.site import nginx
from chassis.tests.patience import LIMIT_SECONDS

OUTSIDE = "127.0.0.2"  # loopback too, but not the address that the site allows


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
    sockets = int(re.search(r"/socket.io/ {.*?proxy_read_timeout (\d+)s", site, re.DOTALL)[1])
    assert sockets > settings.socket_ping_interval_seconds + settings.socket_ping_timeout_seconds
    assert waits[0] >= settings.upstream_stream_seconds
    body = int(re.search(r"client_max_body_size (\d+)m", site)[1]) * 1024 * 1024
    assert settings.max_upload_bytes < body < settings.max_upload_bytes * 1.1
    files = int(re.findall(r"client_max_body_size (\d+)m", site)[1]) * 1024 * 1024
    assert settings.max_files_body < files < settings.max_files_body * 1.1
    assert f"127.0.0.1:{settings.port}" in site

"""The shipped Caddyfile, live in front of a real server."""

import subprocess

import pytest
import socketio

from chassis.tests.conftest import ROOT
from chassis.tests.deploy.caddy import caddy_before
from chassis.tests.deploy.site import told
from chassis.tests.patience import LIMIT_SECONDS

CADDYFILE = ROOT / "deploy/caddy/Caddyfile"


@pytest.fixture
def caddy(serve, tool, tmp_path):
    with caddy_before(serve(TRUSTED_PROXIES="127.0.0.1,::1"), tool("caddy"), tmp_path) as one:
        yield one


@pytest.mark.long
def test_caddy_serves_pages_and_both_transports_and_no_metrics(caddy):
    page = caddy.get(caddy.origin + "/")
    assert "<main" in page.text
    assert (page.headers["Strict-Transport-Security"], page.headers.get("Server")) == ("max-age=31536000", None)
    for transport in ("polling", "websocket"):
        options = {"origin": caddy.origin, "sslopt": {"ca_certs": caddy.verify}}
        one = socketio.Client(http_session=caddy, websocket_extra_options=options, request_timeout=LIMIT_SECONDS)
        one.connect(caddy.origin, transports=[transport], wait_timeout=LIMIT_SECONDS)
        assert told(one, "job:subscribe", {"id": "none"})["error"]["code"] == "not_found"
        one.disconnect()
    foe = caddy.get(caddy.origin + "/socket.io/?EIO=4&transport=polling", headers={"Origin": "https://foe.example"})
    assert foe.status_code == 400
    assert caddy.get(caddy.origin + "/metrics").status_code == 200
    for path in ("/metrics", "//metrics", "/%6detrics", "/admin/x"):
        assert curl(caddy, path, "--interface", "127.0.0.2", "--path-as-is") == "403"
    closed_and_down(caddy)


def curl(caddy, path, *options):
    """Return the status that curl got."""
    command = ["curl", "-s", "--cacert", caddy.verify, "-o", "/dev/null", "-w", "%{http_code}"]
    command += ["-m", str(LIMIT_SECONDS), *options]
    return subprocess.run([*command, caddy.origin + path], capture_output=True, text=True, check=True).stdout


def closed_and_down(caddy):
    flag = caddy.folder / "maintenance"
    flag.touch()
    closed = caddy.post(caddy.origin + "/")
    assert closed.status_code == 503
    assert "working on this service" in closed.text
    flag.unlink()
    caddy.server.stop()
    down = caddy.get(caddy.origin + "/")
    assert down.status_code == 502
    assert "not responding right now" in down.text


def test_the_caddyfile_is_as_caddy_formats_it(tool):
    shown = subprocess.run([tool("caddy"), "fmt", CADDYFILE], capture_output=True, text=True, check=True)
    assert shown.stdout == CADDYFILE.read_text()

"""The proxy of the compose file, live in front of the real server."""

import subprocess
from pathlib import Path

import pytest
import requests
import socketio

from chassis.tests.conftest import CLEAN, free_port
from chassis.tests.deploy.proof.container_client import Visitor
from chassis.tests.deploy.site import told
from chassis.tests.patience import LIMIT_SECONDS

COMPOSE = Path(__file__).parents[3] / "deploy/compose"


@pytest.fixture
def certificates(tool, tmp_path):
    tool("openssl")
    (tmp_path / "make_secrets.sh").write_bytes((COMPOSE / "make_secrets.sh").read_bytes())
    subprocess.run(["sh", tmp_path / "make_secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return tmp_path / "secrets"


@pytest.fixture
def site(serve, tool, certificates, tmp_path, wait_for):
    server, ports = serve(TRUSTED_PROXIES="127.0.0.1"), {name: free_port() for name in ("8443", "8080", "8081")}
    text = (COMPOSE / "Caddyfile").read_text().replace("/run/secrets", str(certificates))
    text = text.replace("app:5000", f"127.0.0.1:{server.port}")
    for name, port in ports.items():
        text = text.replace(f":{name} {{", f":{port} {{\n\tbind 127.0.0.1")
    (tmp_path / "Caddyfile").write_text(text)
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")]
    env = {**CLEAN, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    visitor = Visitor(f"https://127.0.0.1:{ports['8443']}", certificates / "tls_certificate")
    visitor.health = Visitor(f"http://127.0.0.1:{ports['8081']}")
    log = (tmp_path / "caddy.log").open("wb")
    with log, subprocess.Popen(command, env=env, stdout=log, stderr=log) as process:
        try:
            wait_for(lambda: process.poll() is not None or visitor.get("/livez")[0] == 200)
            assert process.poll() is None, (tmp_path / "caddy.log").read_text()
            yield visitor
        finally:
            process.terminate()


def test_pages_and_sockets_pass_over_tls_and_metrics_do_not(site):
    assert "<main" in site.get("/")[1]
    assert site.health.get("/")[0] == 200
    assert site.get("/metrics")[0] == 403
    assert {site.get(path)[0] for path in ("/metrics/", "//metrics", "/%6detrics")} <= {403, 404}
    assert site.get("/api/jobs", body="x" * 20_100_000)[0] in (0, 413)
    site.call_by_websocket()
    session = requests.Session()
    session.trust_env, session.verify = False, str(site.certificate)
    one = socketio.Client(http_session=session, request_timeout=LIMIT_SECONDS)
    one.connect(site.url, transports=["polling"], wait_timeout=LIMIT_SECONDS)
    assert told(one, "job:subscribe", {"id": "none"})["error"]["code"] == "not_found"
    one.disconnect()

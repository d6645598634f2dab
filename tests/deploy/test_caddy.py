"""The shipped Caddyfile, live in front of a real server."""

import subprocess

import pytest
import requests
import socketio

from tests.conftest import CLEAN, ROOT, free_port
from tests.deploy.site import told
from tests.documents import blocks
from tests.patience import LIMIT_SECONDS, wait_until

CADDYFILE = ROOT / "deploy/caddy/Caddyfile"


@pytest.fixture
def caddy(serve, tool, tmp_path):
    server, port = serve(TRUSTED_PROXIES="127.0.0.1,::1"), free_port()
    install(tmp_path)
    site = (tmp_path / "Caddyfile").read_text().replace("/var/www", f"{tmp_path}/www")
    ports = f"http_port {free_port()}\nhttps_port {port}\n"
    options = f"default_bind 127.0.0.1\nadmin off\nskip_install_trust\nstorage file_system {tmp_path}"
    site = site.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}").replace(
        "lb_try_duration 5s", "lb_try_duration 1s"
    )
    (tmp_path / "Caddyfile").write_text(f"{{\n{ports}{options}\n}}\n{site}")
    command = [tool("caddy"), "run", "--config", str(tmp_path / "Caddyfile")]
    root = tmp_path / "pki/authorities/local/root.crt"
    env = {**CLEAN, "HOME": str(tmp_path)}
    with (tmp_path / "caddy.log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        one = requests.Session()
        one.trust_env, one.verify = False, str(root)
        one.folder, one.origin, one.server = tmp_path / "www/flask-socketio", f"https://localhost:{port}", server

        def answers():
            try:
                return root.exists() and one.get(one.origin + "/livez", timeout=LIMIT_SECONDS).ok
            except requests.RequestException:
                return False

        wait_until(answers)
        yield one
        process.terminate()


def install(folder):
    """Type what docs/deploy.md says, below a folder."""
    commands = blocks("docs/deploy.md", "nginx and Caddy")[-1].replace("NAME=app.example.org", "NAME=localhost")
    commands = commands.replace("/etc/caddy", str(folder)).replace("/var/www", f"{folder}/www")
    kept = [line.split(" && ")[0] for line in commands.splitlines() if not line.startswith("apt-get")]
    subprocess.run(["bash", "-ec", "\n".join(kept)], cwd=ROOT, check=True, capture_output=True)


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
    assert "does not answer" in down.text


def test_the_caddyfile_is_as_caddy_formats_it(tool):
    shown = subprocess.run([tool("caddy"), "fmt", CADDYFILE], capture_output=True, text=True, check=True)
    assert shown.stdout == CADDYFILE.read_text()

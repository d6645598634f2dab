"""nginx in front of a clone, by the commands of docs/deploy.md, with an update and a rollback while requests come."""

import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chassis.tests.conftest import ROOT
from chassis.tests.deploy.proof.machine import Machine, machine, needs
from chassis.tests.deploy.proof.report import Report
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until

FOLDER = f"/opt/{SLUG}"
ASK = "curl -s -o /dev/null --cacert /etc/nginx/tls/fullchain.pem"
STEADY = f"while [ ! -e /run/enough ]; do {ASK} -w '%{{http_code}}\\n' https://app.example.org/livez; sleep 0.06; done"
KEY = secrets.token_hex(24)
SETTINGS = (
    f"export APP_ENV=production SECRET_KEY={secrets.token_hex(24)} ADMIN_API_KEY={KEY} "
    f"DATABASE_URL=sqlite:///{FOLDER}/app.db TRUSTED_PROXIES=127.0.0.1\n"
)
START = f"cd {FOLDER}/one && .venv/bin/python run_web.py --daemon\n"
SOCKETS = 20
CLIENTS = f"""
import os, time, requests, socketio
def client():
    session = requests.Session()
    session.trust_env, session.verify = False, "/etc/nginx/tls/fullchain.pem"
    trust = {{"sslopt": {{"ca_certs": session.verify}}}}
    one = socketio.Client(http_session=session, websocket_extra_options=trust, reconnection_delay=0.5)
    one.on("connect", lambda: print("connected", flush=True))
    one.connect("https://app.example.org", auth={{"key": "{KEY}"}}, transports=["websocket"], wait_timeout=30)
    return one
kept = [client() for _ in range({SOCKETS})]
while not os.path.exists("/run/enough"):
    time.sleep(0.1)
os._exit(0)
"""
READY = "curl -fsS --retry 60 --retry-connrefused --retry-delay 1 http://127.0.0.1:5000/readyz"


def prove(report: Report) -> None:
    """Install, serve, update, roll back, close and open."""
    needs("nginx-light", "openssl", "curl", "iproute2")
    install, _certificate, sockets, maintenance, update, rollback, _caddy = blocks("docs/deploy.md", "nginx and Caddy")
    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as one:
        started = time.monotonic()
        with report.step("nginx", "clone, requirements") as line:
            release(Path(folder) / f"opt/{SLUG}/one")
            line.see("with pip, from the index that is set up here")
        with report.step("nginx", "the service and the site") as line:
            one.run("echo 127.0.0.1 app.example.org >> /etc/hosts")
            one.run("nginx")  # as Debian's package does
            one.run(SETTINGS + START + READY)
            one.run(f"ln -s {FOLDER}/one {FOLDER}/current\ncd {ROOT}\n" + without(install, "apt-get"))
            assert "<main" in one.run(
                ASK.replace("-o /dev/null", f"-L -H 'X-API-Key: {KEY}'") + " https://app.example.org/"
            )
            line.see(f"first page over https {time.monotonic() - started:.0f} s after the start of the clone")
            one.run(sockets)
        release(Path(folder) / f"opt/{SLUG}/two")
        folders = f"NEW={FOLDER}/two OLD={FOLDER}/one\n"
        for name, commands in (("update, blue-green", update), ("rollback", rollback)):
            with report.step("nginx", f"{name} under requests") as line:
                line.see(under_requests(one, SETTINGS + folders + commands))
        with report.step("nginx", "maintenance") as line:
            on, off = maintenance.splitlines()
            line.see(
                " ".join(
                    one.run(f"{step}\n{ASK} -w '%{{http_code}}' https://app.example.org/livez") for step in (on, off)
                )
            )
            assert line.seen == ["503 200"]
        one.run("nginx -s stop")


def release(folder: Path) -> None:
    """Put a clone with its requirements there."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True)
    pip = [folder / ".venv/bin/pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "-r", folder / "requirements.txt"], check=True, capture_output=True)


def without(block: str, command: str) -> str:
    return "\n".join(line for line in block.splitlines() if not line.startswith(command))


def under_requests(one: Machine, commands: str) -> str:
    """Run the commands while requests come and sockets are open; say how that went."""
    (one.folder / "clients.py").write_text(CLIENTS)
    seen = one.folder / "seen"
    one.run(f"rm -f /run/enough {seen}")
    clients = one.start(f"{sys.executable} {one.folder}/clients.py > {seen}")
    wait_until(lambda: seen.exists() and len(seen.read_text().splitlines()) == SOCKETS)
    steady = one.start(STEADY)
    time.sleep(1)
    one.run(commands)
    wait_until(lambda: len(seen.read_text().splitlines()) == 2 * SOCKETS)
    one.run("touch /run/enough")
    codes = steady.communicate(timeout=120)[0].split()
    clients.wait(30)
    assert set(codes) == {"200"}, f"not all were answered 200: {codes}"
    return f"{len(codes)} requests, all answered 200; {SOCKETS} sockets, each back once"

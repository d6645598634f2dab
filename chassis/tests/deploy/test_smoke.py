"""`make smoke` against real servers: one that is well, one in production that asks for a key, and broken ones."""

import json
import os
import re
import secrets
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chassis.tests.conftest import CLEAN, ROOT, gunicorn
from chassis.tests.documents import blocks
from chassis.tests.named import HAS_EXAMPLE
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.security.conftest import flask

KEY = secrets.token_urlsafe(48)
PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "CLIENT_API_KEYS": KEY,
    "SOCKET_TRANSPORTS": "websocket",
    "DEMO_PREDICTOR": "true",
}
LINE = re.compile(r"(ok  |FAIL) (\w+) +\d+\.\d\d s  \S.*")
NAMES = ["page", "health", "api", "socket", "batch"]


def smoke(url, key="", **options):
    """Run the check as `make` does; return its status and its lines by name."""
    make, target, _ = blocks("chassis/docs/operations.md", "Is an instance well, from outside")[0].split()
    command = [make, "--no-print-directory", "-o", ".venv/installed-dev", target, f"URL={url}", f"KEY={key}"]
    done = subprocess.run(
        command, cwd=ROOT, env={**CLEAN, **options}, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    lines = [LINE.fullmatch(line) for line in done.stdout.splitlines()]
    assert all(lines), done.stdout + done.stderr
    assert [line[2] for line in lines] == NAMES
    return done.returncode, {line[2]: (line[1].strip(), line[0]) for line in lines}


def verdicts(found):
    return {name: verdict for name, (verdict, _) in found.items()}


def test_an_instance_in_production_is_well_with_a_key_and_says_what_fails_without(serve):
    server = serve(**PRODUCTION)
    status, found = smoke(server.url, KEY)
    assert set(verdicts(found).values()) == {"ok"}, found
    assert status == 0
    assert "by websocket" in found["socket"][1]
    assert ("2 rows" if HAS_EXAMPLE else "not installed") in found["batch"][1]
    status, found = smoke(server.url)
    assert status != 0
    wanted = {"health": "ok", "api": "FAIL", "socket": "FAIL"}  # the page may be that for signing in
    assert {name: verdict for name, verdict in verdicts(found).items() if name in wanted} == wanted
    assert "401: Please sign in" in found["api"][1]


def test_with_an_admins_key_the_limits_of_production_do_not_count(serve):
    admin = secrets.token_urlsafe(48)
    server = serve(**PRODUCTION, ADMIN_API_KEY=admin, RATE_LIMIT_DEFAULT="2 per hour")
    status, found = smoke(server.url, KEY)
    assert status != 0
    assert "429" in str(found)
    assert blocks("chassis/docs/operations.md", "Without limits")[0].startswith(
        "make smoke URL=https://app.example.org KEY=ak_"
    )
    status, found = smoke(server.url, admin)  # which asks with the admin's own key twice
    assert set(verdicts(found).values()) == {"ok"}, found
    assert status == 0
    made = json.loads(flask(server, "keys", "list", "--json"))
    assert [(key["without_limits"], key["state"]) for key in made] == [(True, "revoked")]


@pytest.mark.parametrize("times", [1, 2])
def test_the_key_that_was_made_is_gone_after_ctrl_c_in_the_middle_also_when_it_is_typed_twice(serve, times):
    """The terminal interrupts all processes of the line; threads of the socket are there then."""
    admin = secrets.token_urlsafe(48)
    command = gunicorn(Path(__file__).parent, "batch_app:app")
    server = serve(command=command, **PRODUCTION, ADMIN_API_KEY=admin, BATCH="endless")
    words = ["make", "--no-print-directory", "-o", ".venv/installed-dev", "smoke", f"URL={server.url}", f"KEY={admin}"]
    options = {"cwd": ROOT, "env": CLEAN, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    running = subprocess.Popen(words, process_group=0, **options)
    wait_until(lambda: '"job_started"' in server.log, "no job started")
    for _ in range(times):
        os.killpg(running.pid, signal.SIGINT)
    said = running.communicate(timeout=LIMIT_SECONDS)[0]
    assert running.returncode != 0
    assert "Traceback" not in said
    made = json.loads(flask(server, "keys", "list", "--json"))
    assert [(key["without_limits"], key["state"]) for key in made] == [(True, "revoked")], said


@pytest.mark.parametrize(
    ("batch", "verdict", "said"),
    [
        ("answered", "ok", "2 rows, answered e.g. 'no'"),
        ("unanswered", "FAIL", "0 of 2 rows have an answer: Nobody answers."),
        ("broken", "FAIL", "the job ended as failed"),
    ],
)
def test_an_open_instance_is_well_but_for_a_batch_that_fails(serve, batch, verdict, said):
    server = serve(command=gunicorn(Path(__file__).parent, "batch_app:app"), BATCH=batch)
    status, found = smoke(server.url)
    assert (status == 0) == (verdict == "ok")
    assert verdicts(found) == dict.fromkeys(NAMES, "ok") | {"batch": verdict}
    assert said in found["batch"][1]


def test_each_failure_of_what_is_no_such_service_is_a_line():
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(502)
            self.end_headers()
            self.wfile.write(b"<h1>Bad gateway</h1>")

        do_POST = do_GET

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, found = smoke(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert status != 0
    assert set(verdicts(found).values()) == {"FAIL"}
    assert "GET / answered 502" in found["page"][1]

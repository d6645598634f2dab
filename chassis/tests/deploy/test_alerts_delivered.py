"""From the service that stops to whoever is told: Prometheus and Alertmanager with the files of compose, for real."""

import contextlib
import http.server
import json
import subprocess
import threading

import pytest

from chassis.tests.conftest import ROOT, free_port
from chassis.tests.deploy.test_prometheus import PROMETHEUS, answers, asks
from chassis.tests.named import SLUG
from chassis.tests.patience import wait_until

COMPOSE = ROOT / "deploy/compose"


def test_alertmanagers_file_is_valid(tool):
    command = [tool("amtool", "prometheus-alertmanager"), "check-config", PROMETHEUS / "alertmanager.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Hook(http.server.BaseHTTPRequestHandler):
    """Remembers the alerts that it is told."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told += [(alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def run(tmp_path):
    """Return a function that starts a program with a file as we ship it but for some words; all end with the test."""
    with contextlib.ExitStack() as stack:

        def start(program, source, changes, *options):
            text = source.read_text()
            for old, new in changes.items():
                assert old in text
                text = text.replace(old, new)
            (tmp_path / source.name).write_text(text)
            log = stack.enter_context((tmp_path / f"{source.stem}.log").open("w"))
            command = [program, f"--config.file={tmp_path / source.name}", *options]
            process = stack.enter_context(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log))
            stack.callback(process.kill)

        yield start


@pytest.mark.long
def test_a_service_that_stops_is_told_to_the_pager_and_its_return_too(tool, tmp_path, serve, hook, run):
    server, here, alertmanager = serve(), free_port(), free_port()
    for name in ("rules.yml", "alerts.yml"):
        text = (PROMETHEUS / name).read_text().replace("== 0\n        for: 1m", "== 0\n        for: 1s")
        (tmp_path / name).write_text(text)
    run(
        tool("prometheus-alertmanager"), PROMETHEUS / "alertmanager.yml",
        {"https://pager.example.org/hook": f"http://127.0.0.1:{hook.server_port}/", "group_wait: 30s": "group_wait: 1s",
         "group_interval: 5m": "group_interval: 1s"},
        f"--storage.path={tmp_path}/am", f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address=",
    )  # fmt: skip
    run(
        tool("prometheus"), COMPOSE / "prometheus.yml",
        {"app:5000": f"127.0.0.1:{server.port}", "alertmanager:9093": f"127.0.0.1:{alertmanager}",
         "interval: 15s": "interval: 1s"},
        f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{here}",
    )  # fmt: skip
    wait_until(lambda: answers(asks(here), f'up{{job="{SLUG}"}} == 1'))
    server.stop()
    wait_until(lambda: ("InstanceDown", "firing") in hook.told)
    server.start()
    wait_until(lambda: ("InstanceDown", "resolved") in hook.told)

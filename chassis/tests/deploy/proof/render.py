"""What Render does with the Blueprint: a clone, the build command, the start command, health checks, a stop."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from chassis.tests.conftest import ROOT, Server, free_port
from chassis.tests.deploy.proof.report import Report
from chassis.tests.deploy.render import SERVICE, VARIABLES, environment
from chassis.tests.patience import wait_until

HEALTH_SECONDS = 5  # what Render allows for an answer


def prove(report: Report) -> None:
    """Build, serve, answer and stop, each as Render does it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with report.step("render", "clone and build command") as line:
            line.see(f"Python {build(folder)}")
        (folder / "disk").mkdir()
        env = environment(free_port(), str(folder / "disk")) | {"PATH": path(folder)}
        server = OnRender(folder, ["bash", "-c", f"exec {SERVICE['startCommand']}"], env)
        try:
            with report.step("render", "start command and health check") as line:
                wait_until(lambda: health(server) < HEALTH_SECONDS, server.log)
                assert server.get("/")[0] == 401
                assert "<main" in server.get("/", {"X-API-Key": env["ADMIN_API_KEY"]})[1]
                line.see(f"healthy, answered in {health(server) * 1000:.0f} ms")
                line.see(f"first page {time.monotonic() - started:.0f} s after the start of the clone")
            with report.step("render", "stop") as line:
                began = time.monotonic()
                assert server.stop(SERVICE["maxShutdownDelaySeconds"]) == 0
                line.see(f"{time.monotonic() - began:.1f} s of {SERVICE['maxShutdownDelaySeconds']}")
        finally:
            if server.process.poll() is None:
                server.process.kill()


class OnRender(Server):
    """The service in its own clone."""

    def start(self) -> None:
        """Start where the clone is."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder / "src", env=self.env, stdout=log, stderr=subprocess.STDOUT
            )
        self.pid = self.process.pid


def build(folder: Path) -> str:
    """Clone, make the virtual environment as Render does, run the build command; return Python's version."""
    subprocess.run(["git", "clone", "-q", ROOT, folder / "src"], check=True)
    minor = VARIABLES["PYTHON_VERSION"]["value"].rpartition(".")[0]
    python = shutil.which(f"python{minor}")
    works = python and not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode
    subprocess.run([python if works else sys.executable, "-m", "venv", folder / "src/.venv"], check=True)
    env = {**os.environ, "PATH": path(folder)}
    subprocess.run(
        ["bash", "-c", SERVICE["buildCommand"]], cwd=folder / "src", env=env, check=True, capture_output=True
    )
    shown = subprocess.run([folder / "src/.venv/bin/python", "-V"], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def path(folder: Path) -> str:
    return f"{folder}/src/.venv/bin:{os.environ['PATH']}"


def health(server: Server) -> float:
    """Return how long a 2xx took; fail within a wait as not yet."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(server.url + SERVICE["healthCheckPath"], timeout=HEALTH_SECONDS) as answer:
            return time.monotonic() - began if answer.status < 300 else HEALTH_SECONDS
    except OSError:
        return HEALTH_SECONDS

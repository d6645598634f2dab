"""A real supervisord that runs the shipped program, with the paths of this checkout and of a test's folder."""

import contextlib
import getpass
import json
import secrets
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from chassis.tests.conftest import CLEAN, free_port
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).parents[3]
FRAME = """
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
[unix_http_server]
file={folder}/socket
[supervisorctl]
serverurl=unix://{folder}/socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""


def program(folder: Path) -> str:
    """Return the shipped program for this machine."""
    text = (ROOT / f"deploy/supervisor/{SLUG}.conf").read_text()
    changes = {
        f"/opt/{SLUG}/current/.venv/bin/python": sys.executable,
        f"directory=/opt/{SLUG}/current": f"directory={ROOT}",
        f"sqlite:////var/lib/{SLUG}": f"sqlite:///{folder}",
        f"/var/log/{SLUG}": str(folder),
        f"user={SLUG}": f"user={getpass.getuser()}",
    }
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


class Supervisor:
    """supervisord in a folder, and what is asked of it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.config = folder / "supervisord.conf"
        self.config.write_text(FRAME.format(folder=folder) + program(folder))
        env = {**CLEAN, "PORT": str(self.port), "SECRET_KEY": secrets.token_urlsafe(48), **settings}
        command = [shutil.which("supervisord"), "-c", str(self.config)]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def control(self, *command: str) -> str:
        """Run supervisorctl and return what it says."""
        whole = [shutil.which("supervisorctl"), "-c", str(self.config), *command]
        return subprocess.run(whole, capture_output=True, text=True, check=False).stdout

    def master(self) -> int:
        """Return gunicorn's pid, or 0."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return int(found.stdout.split()[0]) if found.stdout else 0

    def answers(self, path: str = "/readyz") -> bool:
        """Return whether the service answers 200."""
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url(path), timeout=LIMIT_SECONDS) as answer:
            return answer.status == 200
        return False

    def details(self) -> dict[str, Any]:
        """Return the checks of /readyz."""
        with urllib.request.urlopen(self.url("/readyz"), timeout=LIMIT_SECONDS) as answer:
            checks: dict[str, Any] = json.load(answer)["checks"]
        return checks

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def log(self) -> str:
        """What the service has written."""
        return (self.folder / "service.log").read_text()

    def stop(self) -> int:
        """End supervisord, and the service with it."""
        self.process.terminate()
        return self.process.wait(LIMIT_SECONDS)

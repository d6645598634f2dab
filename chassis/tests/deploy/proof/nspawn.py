"""A Debian of its own with systemd, booted by systemd-nspawn: what `install.sh` meets on a fresh machine."""

import json
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from chassis.tests.deploy.proof.debian import CACHE, tree
from chassis.tests.named import SLUG

# No index is asked inside, where no network is: `pip download` has made this folder.
INSIDE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
SETTINGS = (f"/etc/{SLUG}/env", f"/opt/{SLUG}/current/.env")
REBOOT = 133
BOOT = ["--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe", "--quiet"]
GET = """
import json, sys, urllib.error, urllib.request as r
data = sys.argv[2].encode() or None
try:
    headers = {"Content-Type": "application/json", "X-API-Key": sys.argv[3]}
    answer = r.urlopen(r.Request(sys.argv[1], data=data, headers=headers), timeout=10)
except urllib.error.HTTPError as error:
    answer = error
except OSError:
    print(json.dumps([0, ""])); sys.exit()
print(json.dumps([answer.status, answer.read().decode()]))
"""


class Machine:
    """A booted copy of the tree, with this project as a git repository in /upstream."""

    def __init__(self, upstream: Path, wheels: Path) -> None:
        CACHE.mkdir(exist_ok=True)
        self.folder = CACHE / f"machine-{secrets.token_hex(4)}"
        self.folder.mkdir()
        subprocess.run(["cp", "-a", "--reflink=auto", f"{tree()}/.", str(self.folder)], check=True)
        binds = [f"--bind-ro={upstream}:/upstream", f"--bind-ro={wheels}:/wheels"]
        self.command = ["systemd-nspawn", "-D", str(self.folder), "-M", self.folder.name, *BOOT, *binds]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def reboot(self) -> None:
        """Reboot from inside; systemd-nspawn leaves the second half to whoever started it, by its exit status."""
        self.run("systemctl --no-block reboot")
        assert self.process.wait(90) == REBOOT
        self.start()
        self.wait_booted()

    def __enter__(self) -> "Machine":
        try:
            self.wait_booted()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(90)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def leader(self) -> str:
        """The pid, seen from outside, of the process that is 1 inside; another one after a reboot."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return (found.stdout.split() or [""])[0]

    def wait_booted(self) -> None:
        self.wait(lambda: self.run("systemctl is-system-running", check=False).strip() in ("running", "degraded"), 60)

    def run(self, script: str, *, check: bool = True, **env: str) -> str:
        """Run a script inside and return what it prints."""
        done = self.try_run(script, **env)
        if check and done.returncode:
            raise AssertionError(f"{script}\n{done.stdout[-3000:]}")
        return done.stdout

    def try_run(self, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a script inside and return how it ended."""
        inside = [f"{name}={value}" for name, value in {**INSIDE, **env}.items()]
        command = ["nsenter", "-t", self.leader, "-a", "env", "-i", *inside, "bash", "-euo", "pipefail", "-c", script]
        output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, stdin=subprocess.DEVNULL, **output, text=True, check=False)

    def request(self, path: str, body: object = None) -> tuple[int, str]:
        """Send a request from inside, where only the network is the machine's."""
        data = "" if body is None else json.dumps(body)
        command = [*self.in_network(), sys.executable, "-c", GET, f"http://127.0.0.1:5000{path}", data, self.key]
        status, text = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return status, text

    @property
    def key(self) -> str:
        """The ADMIN_API_KEY that the installation made, where the document says; empty before."""
        return self.run(f"cat {' '.join(SETTINGS)} 2>/dev/null | sed -n 's/^ADMIN_API_KEY=//p'", check=False).strip()

    def in_network(self) -> list[str]:
        """Return the beginning of a command that runs outside, but has the machine's network."""
        return ["nsenter", "-t", self.leader, "-n"]

    @staticmethod
    def wait(condition, seconds: float):
        """Return the condition's first true value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s")

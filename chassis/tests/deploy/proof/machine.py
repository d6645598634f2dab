"""A machine of its own within this one: namespaces for mounts and network, and copies of the folders it writes to."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SETUP = """
set -e
mount --make-rprivate /
cp -a /etc {folder}/etc && mount --bind {folder}/etc /etc
mkdir -p {folder}/opt {folder}/www /var/www
mount --bind {folder}/opt /opt
mount --bind {folder}/www /var/www
mount -t tmpfs tmpfs /run && mkdir -p /run/lock
mount -t tmpfs tmpfs /var/log && mkdir -p /var/log/nginx
ip link set lo up
touch {folder}/up
exec sleep infinity
"""


class Machine:
    """Runs commands in the namespaces of a process."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.pid, self.folder = pid, folder

    def start(self, commands: str, **options) -> subprocess.Popen:
        """Start a shell's commands there, as root; there is no systemd, so nginx reloads itself."""
        commands = commands.replace("systemctl reload nginx", "nginx -s reload")
        command = ["nsenter", "-t", str(self.pid), "-m", "-n", "-p", "--", "bash", "-euo", "pipefail", "-c", commands]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options
        )

    def run(self, commands: str, **variables: str) -> str:
        """Run them to their end; return what they print, fail with it when they do."""
        process = self.start(commands, env={**os.environ, **variables})
        shown = process.communicate(timeout=120)[0]
        assert process.returncode == 0, f"{commands}\n{shown}"
        return shown


@contextlib.contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Make one; all that runs in it ends with the block."""
    spaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    with subprocess.Popen([*spaces, "bash", "-c", SETUP.format(folder=folder)]) as outer:
        try:
            while not (folder / "up").exists():
                assert outer.poll() is None, "the namespaces could not be made"
            inner = subprocess.run(["pgrep", "-P", str(outer.pid)], capture_output=True, text=True, check=True)
            yield Machine(int(inner.stdout), folder)
        finally:
            outer.kill()


def needs(*packages: str) -> None:
    """Install Debian packages that are missing."""
    known = subprocess.run(["dpkg", "-s", *packages], capture_output=True, check=False)
    if known.returncode:
        install = "apt-get update -qq; apt-get install -y -qq --no-install-recommends"
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["bash", "-c", f"{install} {' '.join(packages)}"], env=quiet, check=True, capture_output=True)

"""The shipped Caddyfile, installed as docs/deploy.md says but below a folder and on free ports."""

import contextlib
import subprocess
from pathlib import Path

import requests

from chassis.tests.conftest import CLEAN, ROOT, Server, free_port
from chassis.tests.documents import blocks
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS, wait_until


@contextlib.contextmanager
def caddy_before(server: Server, program: str, folder: Path):
    """Run Caddy in front of a server; give a session of requests with its `origin`, `port`, `folder` and `server`."""
    port = free_port()
    _install(folder)
    site = (folder / "Caddyfile").read_text().replace("/var/www", f"{folder}/www")
    ports = f"http_port {free_port()}\nhttps_port {port}\n"
    options = f"default_bind 127.0.0.1\nadmin off\nskip_install_trust\nstorage file_system {folder}"
    site = site.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}").replace(
        "lb_try_duration 5s", "lb_try_duration 1s"
    )
    (folder / "Caddyfile").write_text(f"{{\n{ports}{options}\n}}\n{site}")
    command = [program, "run", "--config", str(folder / "Caddyfile")]
    root = folder / "pki/authorities/local/root.crt"
    env = {**CLEAN, "HOME": str(folder)}
    with (folder / "caddy.log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        one = requests.Session()
        one.trust_env, one.verify = False, str(root)
        one.folder, one.port, one.server = folder / f"www/{SLUG}", port, server
        one.origin = f"https://localhost:{port}"

        def answers():
            try:
                return root.exists() and one.get(one.origin + "/livez", timeout=LIMIT_SECONDS).ok
            except requests.RequestException:
                return False

        try:
            wait_until(answers)
            yield one
        finally:
            process.kill()  # told to end it waits for its connections, those that stall too


def _install(folder: Path) -> None:
    """Type what docs/deploy.md says, below a folder."""
    commands = blocks("docs/deploy.md", "nginx and Caddy")[-1].replace("NAME=app.example.org", "NAME=localhost")
    commands = commands.replace("/etc/caddy", str(folder)).replace("/var/www", f"{folder}/www")
    kept = [line.split(" && ")[0] for line in commands.splitlines() if not line.startswith("apt-get")]
    subprocess.run(["bash", "-ec", "\n".join(kept)], cwd=ROOT, check=True, capture_output=True)

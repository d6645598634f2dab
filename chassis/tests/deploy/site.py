"""The shipped nginx site, installed as docs/deploy.md says but below a folder and on free ports."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
from pathlib import Path

import socketio

from chassis.tests.conftest import free_port
from chassis.tests.documents import ROOT, blocks
from chassis.tests.named import SLUG
from chassis.tests.patience import LIMIT_SECONDS, wait_until

TRIES_SECONDS = (5, 10, LIMIT_SECONDS)
NOT_HERE = ("apt-get", "rm -f", "nginx -t")  # the test has its own nginx


def told(client, event: str, data: object):
    """Return the answer to an event; over TLS Python's client loses its first one, in one of 300 connections here."""
    for seconds in TRIES_SECONDS[:-1]:
        with contextlib.suppress(socketio.exceptions.TimeoutError):
            return client.call(event, data, timeout=seconds)
    return client.call(event, data, timeout=TRIES_SECONDS[-1])


class Site:
    """nginx in front of `upstream`, a port; `folder` holds all of its files."""

    def __init__(self, folder: Path, nginx: str, upstream: int, release: Path = ROOT) -> None:
        self.folder, self.nginx = folder, nginx
        self.port, self.plain_port = free_port(), free_port()
        self.origin = f"https://localhost:{self.port}"
        self.www = folder / f"www/{SLUG}"
        self._install()
        self.change("127.0.0.1:5000", f"127.0.0.1:{upstream}")
        self.change(f"/opt/{SLUG}/current", str(release))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(self.certificate)

    @property
    def certificate(self) -> str:
        return str(self.folder / "nginx/tls/fullchain.pem")

    def _install(self) -> None:
        (self.folder / "nginx/conf.d").mkdir(parents=True)
        commands = blocks("docs/deploy.md", "nginx and Caddy")[0].replace("NAME=app.example.org", "NAME=localhost")
        commands = commands.replace("/etc/nginx", f"{self.folder}/nginx").replace("/var/www", f"{self.folder}/www")
        kept = [line for line in commands.splitlines() if not line.startswith(NOT_HERE)]
        subprocess.run(["bash", "-ec", "\n".join(kept)], cwd=ROOT, check=True, capture_output=True)
        for port, free in ((443, self.port), (80, self.plain_port)):
            self.change(f"listen {port}", f"listen 127.0.0.1:{free}")
            self.change(f"    listen [::]:{port}", f"    # listen [::]:{port}")
        self.change("https://$host$", f"https://$host:{self.port}$")
        headers = self.folder / "nginx/proxy_headers.conf"
        headers.write_text(headers.read_text().replace("Host $host;", f"Host $host:{self.port};"))
        self.change("/etc/nginx", f"{self.folder}/nginx")
        self.change("/var/www", f"{self.folder}/www")
        names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{name}_temp_path {self.folder}/{name};" for name in names)
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is the tester's own
        (self.folder / "nginx/nginx.conf").write_text(
            f"{user} daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{ worker_connections 2000; }}\n"
            f"http {{ access_log off; {paths} include /etc/nginx/mime.types; include conf.d/*.conf; }}\n"
        )

    def change(self, old: str, new: str) -> None:
        """Edit the site."""
        file = self.folder / "nginx/conf.d/app.conf"
        file.write_text(file.read_text().replace(old, new))

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run nginx to its end, with `-t` or `-s reload`."""
        return subprocess.run([*self.command, *arguments], capture_output=True, text=True, check=False)

    @property
    def command(self) -> list[str]:
        return [self.nginx, "-p", str(self.folder), "-c", str(self.folder / "nginx/nginx.conf")]

    def ask(self, path: str, method: str = "GET", body=None, source: str = "127.0.0.1", plain: bool = False, **headers):
        """Return (status, headers, text); `source` is the client's address, `plain` asks on port 80."""
        if plain:
            one = http.client.HTTPConnection("localhost", self.plain_port, LIMIT_SECONDS, source_address=(source, 0))
        else:
            one = http.client.HTTPSConnection(
                "localhost", self.port, timeout=LIMIT_SECONDS, source_address=(source, 0), context=self.context
            )
        try:
            one.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = one.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        finally:
            one.close()

    def answers(self) -> bool:
        """Whether nginx listens."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextlib.contextmanager
def nginx(folder, tool, upstream, kind=Site, **options):
    """Run nginx with the site in front of a port."""
    site = kind(folder, tool("nginx", "nginx-light"), upstream, **options)
    checked = site.run("-t")
    assert checked.returncode == 0, checked.stderr
    with subprocess.Popen(site.command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(site.answers)
            yield site
        finally:
            process.terminate()

"""One service on several processes: this project, Node's cluster, and gunicorns behind nginx and Redis."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.processes import family, redis_server
from benchmarks.servers import ROOT, command, environment, free_port

START_SECONDS = 120.0
NGINX = """
daemon off; pid {folder}/nginx.pid; worker_processes auto; worker_rlimit_nofile 65536;
events {{ worker_connections 30000; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream service {{ {servers} }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://service; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Cluster:
    """A service that answers: its port, and the processes that it was started with."""

    port: int
    roots: list[int]

    @property
    def pids(self) -> list[int]:
        """All processes of the service."""
        return [pid for root in self.roots for pid in family(root)]


@contextmanager
def ours(number: int) -> Iterator[Cluster]:
    """Run this project with a number of workers, without a proxy and without Redis."""
    with _folder() as folder:
        port = free_port()
        env = environment("ours", port, folder) | {"GUNICORN_WORKERS": str(number)}
        with _running(command("ours", port), env, folder) as pid:
            _wait(lambda: f"\napp_workers {number}.0" in _page(port, "/metrics"))
            yield Cluster(port, [pid])


@contextmanager
def node(number: int) -> Iterator[Cluster]:
    """Run Node with a number of cluster workers."""
    with _folder() as folder:
        port = free_port()
        with _running([*command("node", port), str(number)], environment("node", port, folder), folder) as pid:
            seen: set[str] = set()
            _wait(lambda: seen.add(_page(port, "/worker")) or len(seen - {""}) == number)
            yield Cluster(port, [pid])


@contextmanager
def gunicorns(number: int) -> Iterator[Cluster]:
    """Run as many gunicorns with one eventlet worker each, behind nginx and with Redis as their message queue."""
    with _folder() as folder, ExitStack() as stack:
        ports, port, redis = [free_port() for _ in range(number)], free_port(), free_port()
        roots = [stack.enter_context(redis_server(folder, redis))]
        for one in ports:
            env = environment("stock", one, folder) | {"REDIS": f"redis://127.0.0.1:{redis}/0"}
            roots.append(stack.enter_context(_running(command("stock", one), env, folder)))
            _wait(lambda one=one: bool(_page(one, "/json")))  # type: ignore[misc]
        servers = " ".join(f"server 127.0.0.1:{one};" for one in ports)
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, servers=servers))
        nginx = ["nginx", "-c", str(config), "-e", str(folder / "error.log")]
        roots.append(stack.enter_context(_running(nginx, environment("stock", port, folder), folder)))
        _wait(lambda: bool(_page(port, "/json")))
        yield Cluster(port, roots)


Run = Callable[[int], AbstractContextManager[Cluster]]
SIDES: dict[str, Run] = {
    "this project": ours,
    "Node, cluster adapter": node,
    "gunicorns, nginx and Redis": gunicorns,
}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def _running(words: list[str], env: dict[str, str], folder: Path) -> Iterator[int]:
    """Run a server; yield its pid."""
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(serves: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not serves():
        if time.monotonic() > deadline:
            raise SystemExit("A service does not start.")
        time.sleep(0.1)


def _page(port: int, path: str) -> str:
    """Return what a page says, or "" if nothing answers."""
    with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())
    return ""

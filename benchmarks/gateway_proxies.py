"""The proxies that gateway.py compares: how each is installed and started."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gateway_client import ask

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks/.cache/litellm"
LITELLM = "litellm[proxy]==1.80.5"
Started = tuple[list[str], dict[str, str], int]
"""A type: the command, the environment and the port of a server."""


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], env: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """Run a server within, which answers a first request."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
    try:
        wait_for(port, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + 180
    while True:
        try:
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=10), stream=False)
            return
        except (OSError, RuntimeError, http.client.HTTPException):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"a server did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.2)


def ours(backend: int, folder: Path, key: str) -> Started:
    """Return the command, the environment and the port of the gateway."""
    port = free_port()
    settings = {
        "APP_ENV": "production",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "GUNICORN_WORKERS": "1",
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "SECRET_KEY": os.urandom(32).hex(),
        "CLIENT_API_KEYS": key,
        "ADMIN_API_KEY": os.urandom(32).hex(),
        "RATE_LIMIT_DEFAULT": "",
        "RATE_LIMIT_BURST": "",
        "LOG_LEVEL": "WARNING",
        "GATEWAY_BACKENDS": f"a=http://127.0.0.1:{backend}/v1",
        "MAX_CONCURRENT_STREAMS": "1000",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
    return command, {"PATH": os.environ["PATH"], "HOME": str(folder)} | settings, port


def litellm(backend: int, folder: Path, key: str) -> Started:
    """Return the same for LiteLLM's proxy, which logs errors only, as its documentation advises for production."""
    port, config = free_port(), folder / "litellm.yaml"
    model = {"model": "openai/small", "api_base": f"http://127.0.0.1:{backend}/v1", "api_key": "none"}
    models = [{"model_name": "small", "litellm_params": model}]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": key}}))
    command = [str(CACHE / "bin/litellm"), "--config", str(config), "--port", str(port), "--num_workers", "1"]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return command, {"PATH": os.environ["PATH"], "HOME": str(folder)} | quiet, port


def install() -> None:
    """Install LiteLLM's proxy, once."""
    if not (CACHE / "bin/litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(CACHE)], check=True)
        subprocess.run([str(CACHE / "bin/pip"), "install", "--quiet", LITELLM], check=True)

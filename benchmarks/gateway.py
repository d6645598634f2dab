"""Compares the example `gateway` with LiteLLM's proxy, before the same fake backend that answers at once.

    python benchmarks/gateway.py [--seconds N] [--clients N] [--rounds N] [--write]

Each proxy runs in one worker, in turns, and gets what the backend alone gets too: the difference is the added latency.
LiteLLM is installed in a venv of its own below benchmarks/.cache. With --write the table is put between the marks in
the example's README.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks/.cache/litellm"
README = ROOT / "examples/gateway/README.md"
LINK = ROOT / "app/features/gateway"
LITELLM = "litellm[proxy]==1.80.5"
KEY = os.environ.get("BENCHMARK_KEY") or secrets.token_hex(24)
PARTS = 50
START, END = "<!-- benchmark -->", "<!-- end of benchmark -->"
PART = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "small"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
WHOLE = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
).encode()


def event(delta: dict[str, str], reason: str | None = None) -> bytes:
    """Return one part of a stream."""
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return f"data: {json.dumps(PART | {'choices': choices})}\n\n".encode()


STREAM = [*[event({"content": "word "})] * PARTS, event({}, "stop"), b"data: [DONE]\n\n"]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection at once."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            body = json.loads(await reader.readexactly(length) or b"{}")
            kind = b"text/event-stream" if body.get("stream") else b"application/json"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\n")
            if body.get("stream"):
                writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
                for part in STREAM:
                    writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
            else:
                found = WHOLE if body else b'{"object":"list","data":[{"id":"small"}]}'
                writer.write(b"Content-Length: " + str(len(found)).encode() + b"\r\n\r\n" + found)
            await writer.drain()
    writer.close()


async def serve_backend(port: int) -> None:
    """Serve the fake backend."""
    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def ask(connection: http.client.HTTPConnection, *, stream: bool) -> int:
    """Send one request and return how many parts came."""
    body = {"model": "small", "messages": [{"role": "user", "content": "hello"}], "stream": stream}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read()
    if response.status != 200 or (stream and b"[DONE]" not in text):
        raise RuntimeError(f"{response.status}: {text[:300]!r}")
    return text.count(b'"content":')


def run_client(port: int, clients: int, seconds: float) -> None:
    """Print the requests a second, the latencies in ms, and the streamed parts a second, as JSON."""
    found = {"requests": 0.0, "p50": 0.0, "p99": 0.0, "parts": 0.0}
    for stream in (False, True):
        times: list[float] = []
        parts: list[int] = []
        until = time.monotonic() + seconds

        def work(
            stream: bool = stream, times: list[float] = times, parts: list[int] = parts, until: float = until
        ) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while time.monotonic() < until:
                began = time.perf_counter()
                parts.append(ask(connection, stream=stream))
                times.append(time.perf_counter() - began)

        threads = [threading.Thread(target=work) for _ in range(clients)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        if stream:
            found["parts"] = sum(parts) / took
        else:
            times.sort()
            found |= {"requests": len(times) / took, "p50": 1000 * times[len(times) // 2]}
            found["p99"] = 1000 * times[int(len(times) * 0.99)]
    print(json.dumps(found))


def measured(port: int, clients: int, seconds: float) -> dict[str, float]:
    """Return the figures, measured by a process of its own."""
    command = [sys.executable, __file__, "--client", str(port), "--clients", str(clients), "--seconds", str(seconds)]
    env = {**os.environ, "BENCHMARK_KEY": KEY}
    made = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found: dict[str, float] = json.loads(made.stdout)
    return found


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


def ours(backend: int, folder: Path) -> tuple[list[str], dict[str, str], int]:
    """Return the command, the environment and the port of the gateway."""
    port = free_port()
    settings = {
        "APP_ENV": "production",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "GUNICORN_WORKERS": "1",
        "DATABASE_URL": f"sqlite:///{folder}/app.db",
        "SECRET_KEY": os.urandom(32).hex(),
        "CLIENT_API_KEYS": KEY,
        "ADMIN_API_KEY": os.urandom(32).hex(),
        "RATE_LIMIT_DEFAULT": "",
        "RATE_LIMIT_BURST": "",
        "LOG_LEVEL": "WARNING",
        "GATEWAY_BACKENDS": f"a=http://127.0.0.1:{backend}/v1",
        "MAX_CONCURRENT_STREAMS": "1000",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn_config.py", "wsgi:app"]
    return command, {"PATH": os.environ["PATH"], "HOME": str(folder)} | settings, port


def litellm(backend: int, folder: Path) -> tuple[list[str], dict[str, str], int]:
    """Return the same for LiteLLM's proxy, which logs errors only, as its documentation advises for production."""
    port, config = free_port(), folder / "litellm.yaml"
    model = {"model": "openai/small", "api_base": f"http://127.0.0.1:{backend}/v1", "api_key": "none"}
    models = [{"model_name": "small", "litellm_params": model}]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
    command = [str(CACHE / "bin/litellm"), "--config", str(config), "--port", str(port), "--num_workers", "1"]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return command, {"PATH": os.environ["PATH"], "HOME": str(folder)} | quiet, port


def install() -> None:
    """Install LiteLLM's proxy, once."""
    if not (CACHE / "bin/litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(CACHE)], check=True)
        subprocess.run([str(CACHE / "bin/pip"), "install", "--quiet", LITELLM], check=True)


def compare(clients: int, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of the figures of the backend alone and of both proxies."""
    runs: dict[str, list[dict[str, float]]] = {"alone": [], "ours": [], "litellm": []}
    backend = free_port()
    fake = subprocess.Popen([sys.executable, __file__, "--backend", str(backend)])
    folder = Path(tempfile.mkdtemp())
    try:
        wait_for(backend, fake, folder / "none")
        for _ in range(rounds):
            runs["alone"].append(measured(backend, clients, seconds))
            for name, proxy in (("ours", ours), ("litellm", litellm)):
                command, env, port = proxy(backend, folder)
                with running(command, env, port, folder / f"{name}.log"):
                    runs[name].append(measured(port, clients, seconds))
    finally:
        fake.terminate()
        fake.wait()
        shutil.rmtree(folder)
    names = runs["alone"][0]
    return {side: {name: statistics.median(run[name] for run in some) for name in names} for side, some in runs.items()}


def table(found: dict[str, dict[str, float]]) -> str:
    """Return the figures as a Markdown table."""
    alone, own, other = found["alone"], found["ours"], found["litellm"]
    lines = ["| | gateway | LiteLLM | times better |", "|---|---:|---:|---:|"]
    for name, title in (("requests", "requests/s"), ("parts", "streamed parts/s")):
        lines.append(f"| {title} | {own[name]:,.0f} | {other[name]:,.0f} | {own[name] / other[name]:.1f} |")
    for name in ("p50", "p99"):
        added = [max(0.01, side[name] - alone[name]) for side in (own, other)]
        lines.append(f"| added latency {name}, ms | {added[0]:.1f} | {added[1]:.1f} | {added[1] / added[0]:.1f} |")
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table into the README."""
    before, _, rest = README.read_text().partition(START)
    README.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}")


def main() -> None:
    """Compare, or be the backend or the client of a comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into the example's README")
    parser.add_argument("--backend", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.backend:
        asyncio.run(serve_backend(asked.backend))
    elif asked.client:
        run_client(asked.client, asked.clients, asked.seconds)
    else:
        report(asked)


def report(asked: argparse.Namespace) -> None:
    """Compare and tell; the example is linked into the service meanwhile."""
    install()
    linked = not LINK.exists()
    if linked:
        LINK.symlink_to(Path("../../examples/gateway"))
    try:
        found = compare(asked.clients, asked.seconds, asked.rounds)
    finally:
        if linked:
            LINK.unlink()
    text = table(found)
    print(text)
    if asked.write:
        said = f"{asked.clients} clients, {asked.seconds:g} s, median of {asked.rounds} rounds, one worker, {LITELLM}."
        write(f"{text}\n\n{said}")


if __name__ == "__main__":
    main()

"""Compares the example `gateway` with LiteLLM's proxy, before the same fake backend that answers at once.

    python benchmarks/gateway.py [--seconds N] [--clients N] [--rounds N] [--write]

Each proxy runs in one worker, in turns, and gets what the backend alone gets too: the difference is the added latency.
LiteLLM is installed in a venv of its own below benchmarks/.cache. With --write the table is put between the marks in
the example's README.
"""

import argparse
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.gateway_proxies import LITELLM, ROOT, free_port, install, litellm, ours, running, wait_for

README = ROOT / "examples/gateway/README.md"
LINK = ROOT / "app/features/gateway"
KEY = "BENCHMARK_KEY"
START, END = "<!-- benchmark -->", "<!-- end of benchmark -->"


def main() -> None:
    """Compare and tell; the example is linked into the service meanwhile."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into the example's README")
    asked = parser.parse_args()
    os.environ[KEY] = secrets.token_hex(24)
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


def compare(clients: int, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Return the medians of the figures of the backend alone and of both proxies."""
    runs: dict[str, list[dict[str, float]]] = {"alone": [], "ours": [], "litellm": []}
    backend = free_port()
    fake = subprocess.Popen([sys.executable, "-m", "benchmarks.gateway_backend", str(backend)], cwd=ROOT)
    folder = Path(tempfile.mkdtemp())
    try:
        wait_for(backend, fake, folder / "none")
        for _ in range(rounds):
            runs["alone"].append(measured(backend, clients, seconds))
            for name, proxy in (("ours", ours), ("litellm", litellm)):
                command, env, port = proxy(backend, folder, os.environ[KEY])
                with running(command, env, port, folder / f"{name}.log"):
                    runs[name].append(measured(port, clients, seconds))
    finally:
        fake.terminate()
        fake.wait()
        shutil.rmtree(folder)
    names = runs["alone"][0]
    return {side: {name: statistics.median(run[name] for run in some) for name in names} for side, some in runs.items()}


def measured(port: int, clients: int, seconds: float) -> dict[str, float]:
    """Return the figures, measured by a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gateway_client", str(port), str(clients), str(seconds)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(made.stdout)
    return found


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


if __name__ == "__main__":
    main()

"""Measures the same service with one and with several workers: echo, fan-out, connects.

    python benchmarks/workers.py [--workers 1,2,4] [--seconds S] [--rounds N] [--write]

The client and the workers share all cores: with two cores, two workers and the client share them, so the table also
has the CPU seconds that the workers took for each second. Other work on the machine makes all rates lower.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import page
from benchmarks.install import CLIENT, install
from benchmarks.servers import ROOT, command, environment, free_port

START_SECONDS = 120.0
SCENARIOS = {
    "echo of 64 bytes, 50 clients": ("--clients 50 --active 50", "events_per_second"),
    "fan-out to 500": ("--fanout 1 --clients 500", "deliveries_per_second"),
    "connects, 1,000 clients": ("--clients 1000", "connects_per_second"),
}


def main() -> None:
    """Print a table with a row for each scenario, and write it to chassis/docs/performance.md if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers, separated by commas")
    parser.add_argument("--seconds", type=float, default=4, help="how long each run lasts")
    parser.add_argument("--rounds", type=int, default=3, help="the table holds their medians")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    arguments = parser.parse_args()
    install(())
    numbers = [int(number) for number in arguments.workers.split(",")]
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for _ in range(arguments.rounds):
        for number in numbers:
            with serving(number) as (port, pids):
                for title, (options, value) in SCENARIOS.items():
                    run = measured(port, pids, f"{options} --seconds {arguments.seconds}", value)
                    found.setdefault((title, number), []).append(run)
    written = table(numbers, found)
    print(written)
    if arguments.write:
        said = "A second of the clock; in brackets the CPU seconds that the workers took for it, beside the client."
        page.put("workers", written, f"{page.conditions(arguments.rounds)}. {said}")


def table(numbers: list[int], found: dict[tuple[str, int], list[tuple[float, float]]]) -> str:
    """Return the medians as a Markdown table."""
    heads = [f"{number} worker{'s' * (number > 1)}" for number in numbers]
    lines = [f"| a second | {' | '.join(heads)} |", f"|---|{'---:|' * len(numbers)}"]
    for title in SCENARIOS:
        runs = [[median(values) for values in zip(*found[title, number], strict=True)] for number in numbers]
        lines.append(f"| {title} | {' | '.join(f'{rate:,.0f} ({cpu:.2f})' for rate, cpu in runs)} |")
    return "\n".join(lines)


@contextmanager
def serving(workers: int) -> Iterator[tuple[int, list[int]]]:
    """Start the service; yield its port and its workers' pids."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        env = environment("ours", port, Path(folder)) | {"GUNICORN_WORKERS": str(workers)}
        with Path(folder, "log").open("wb") as log:
            master = subprocess.Popen(command("ours", port), cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield port, started(master, port, workers)
        finally:
            master.terminate()
            master.wait()


def started(master: subprocess.Popen[bytes], port: int, workers: int) -> list[int]:
    """Wait until all workers serve, and return their pids."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            text = ""
        if f"\napp_workers {workers}.0" in text:
            children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text()
            return [int(pid) for pid in children.split()]
        time.sleep(0.2)
    raise SystemExit(f"{workers} workers do not serve")


def measured(port: int, pids: list[int], options: str, value: str) -> tuple[float, float]:
    """Run the client once; return the rate, and the CPU seconds of all workers for each second."""
    before, began = cpu_seconds(pids), time.monotonic()
    client = [str(CLIENT), "--port", str(port), "--server", str(pids[0]), *options.split()]
    lines = subprocess.run(client, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    answer: dict[str, Any] = json.loads(lines[-1])
    return float(answer[value]), (cpu_seconds(pids) - before) / (time.monotonic() - began)


def cpu_seconds(pids: list[int]) -> float:
    """Return the CPU time of processes."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()

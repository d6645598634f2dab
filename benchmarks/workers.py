"""Measures services with one and with several workers: echo, fan-out, connects, idle memory.

    python benchmarks/workers.py [--workers 1,2,4] [--only SIDE ...] [--seconds S] [--rounds N] [--write]

Beside this project run Node with its cluster adapter, and as many gunicorns with eventlet behind nginx and with Redis.
All clients are websockets, so no side needs sticky sessions. The client and the servers share all cores: with two
cores, two workers and the client share them, so the table also has the CPU seconds that all processes of a side took
for each second. Other work on the machine makes all rates lower. The sides take turns in each round.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import page
from benchmarks.clusters import SIDES, Cluster
from benchmarks.install import CLIENT, install, need
from benchmarks.processes import cpu_seconds, memory_kb

IDLE, SETTLING_SECONDS = 2_000, 1.0
SCENARIOS = {
    f"idle memory a connection, {IDLE:,} clients, kB (the service, MB)": (f"--clients {IDLE} --seconds 2", ""),
    "connects, 1,000 clients, a second": ("--clients 1000", "connects_per_second"),
    "echo of 64 bytes, 50 clients, events/s": ("--clients 50 --active 50 --seconds {}", "events_per_second"),
    "fan-out to 500, deliveries/s": ("--fanout 1 --clients 500 --seconds {}", "deliveries_per_second"),
}


@dataclass(frozen=True)
class Figures:
    """A figure, and what stands in brackets behind it."""

    value: float
    beside: float


Found = dict[tuple[str, str, int], list[Figures]]


def main() -> None:
    """Print a table with a row for each scenario and side, and write it to chassis/docs/performance.md if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workers", default="1,2,4", help="numbers of workers, separated by commas")
    parser.add_argument("--only", action="append", help="the beginning of a side's name; may be given more than once")
    parser.add_argument("--seconds", type=float, default=4, help="how long each run lasts")
    parser.add_argument("--rounds", type=int, default=3, help="the table holds their medians")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    arguments = parser.parse_args()
    sides = [name for name in SIDES if arguments.only is None or name.startswith(tuple(arguments.only))]
    install(tuple(peer for peer, name in PEERS.items() if name in sides))
    if PEERS["stock"] in sides:
        need("nginx", "redis-server", "redis-cli")
    numbers = [int(number) for number in arguments.workers.split(",")]
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    found: Found = {}
    for turn in range(arguments.rounds):
        for number in numbers:
            for side in sides:
                run(side, number, arguments.seconds, found)
                print(f"round {turn + 1}, {number} workers, {side}: measured", flush=True)
    written = table(sides, numbers, found)
    print(written)
    if arguments.write:
        page.put("workers", written, f"{page.conditions(arguments.rounds)}. {SAID}")


PEERS = {"node": "Node, cluster adapter", "stock": "gunicorns, nginx and Redis"}
SAID = (
    "A second of the clock; in brackets the CPU seconds that all processes of a side, nginx and Redis among them, took "
    "for it, beside the client."
)


def run(side: str, number: int, seconds: float, found: Found) -> None:
    """Measure each scenario once, memory first, while a service has used none yet."""
    with SIDES[side](number) as cluster:
        for title, (options, value) in SCENARIOS.items():
            found.setdefault((title, side, number), []).append(measured(cluster, options.format(seconds), value))


def table(sides: list[str], numbers: list[int], found: Found) -> str:
    """Return the medians as a Markdown table."""
    heads = [f"{number} worker{'s' * (number > 1)}" for number in numbers]
    lines = [f"| | | {' | '.join(heads)} |", f"|---|---|{'---:|' * len(numbers)}"]
    for title in SCENARIOS:
        for side in sides:
            cells = [cell(title, found[title, side, number]) for number in numbers]
            lines.append(f"| {title if side == sides[0] else ''} | {side} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(title: str, runs: list[Figures]) -> str:
    """Return the medians of some runs."""
    value, beside = median(run.value for run in runs), median(run.beside for run in runs)
    return f"{value:,.1f} ({beside:,.0f})" if "memory" in title else f"{value:,.0f} ({beside:.2f})"


def measured(cluster: Cluster, options: str, value: str) -> Figures:
    """Run the client once; return the rate and the CPU seconds a second, or kB a connection and the service's MB."""
    pids = cluster.pids
    words = [str(CLIENT), "--port", str(cluster.port), "--server", str(pids[0]), *options.split()]
    cpu, memory, began = cpu_seconds(pids), memory_kb(pids), time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        client.stdout.readline()  # printed when all clients are connected
        if not value:
            time.sleep(SETTLING_SECONDS)
            full = memory_kb(pids)
        answer: dict[str, Any] = json.loads(client.stdout.readline())
    faults = {kind: answer[kind] for kind in ("failed", "dropped", "wrong") if answer[kind]}
    if faults:
        print(f"{options}: {faults}", file=sys.stderr)
    if not value:
        return Figures((full - memory) / max(answer["joined"], 1), full / 1024)
    return Figures(float(answer[value]), (cpu_seconds(pids) - cpu) / (time.monotonic() - began))


if __name__ == "__main__":
    main()

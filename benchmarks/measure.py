"""Runs the client against the servers alternately, so that a slow moment of the machine affects all of them."""

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.install import CLIENT
from benchmarks.scenarios import Answer, Scenario
from benchmarks.servers import MODES, THREADS, TITLES, Server, cores

MOST_CLIENT_SHARE = 0.8
SETTLING_SECONDS = 1.0
HASTE = -10  # a value for `nice`


@dataclass(frozen=True)
class Run:
    """One run of the client against one server."""

    value: float
    answer: Answer
    client_share: float

    @property
    def void(self) -> bool:
        """Whether the client was the bottleneck."""
        return self.client_share > MOST_CLIENT_SHARE

    @property
    def faults(self) -> str:
        """Errors that clients saw."""
        kinds = ("failed", "dropped", "wrong", "unanswered")
        return ", ".join(f"{self.answer[kind]} {kind}" for kind in kinds if self.answer[kind])


Runs = dict[str, dict[str, list[Run]]]


def measure(chosen: list[Scenario], sides: tuple[str, ...], rounds: int) -> Iterator[Runs]:
    """Yield {scenario: {side: its runs so far}} after each round."""
    runs: Runs = {scenario.name: {side: [] for side in of(scenario, sides)} for scenario in chosen}
    for turn in range(1, rounds + 1):
        print(f"\nround {turn} of {rounds}\n{'':<14}{'':<24}{'value':>12}{'client':>9}{'server':>9}")
        with serving(sides) as servers:
            for scenario in chosen:
                for side in of(scenario, sides):
                    run = run_client(scenario, servers[side])
                    runs[scenario.name][side].append(run)
                    tell(scenario, side, run)
        yield runs


def of(scenario: Scenario, sides: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sides that a scenario compares; with threads, each client takes one."""
    found = tuple(side for side in sides if side in MODES) if scenario.ours_only else sides
    return tuple(side for side in found if side != "threading" or scenario.clients < int(THREADS))


@contextlib.contextmanager
def serving(sides: tuple[str, ...]) -> Iterator[dict[str, Server]]:
    """Start a server for each side; servers are idle when others are measured."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = {}
        for side in sides:
            servers[side] = Server(side, Path(folder))
            stack.callback(servers[side].stop)
        yield servers


def run_client(scenario: Scenario, server: Server) -> Run:
    """Run a scenario once."""
    server.settle()
    empty = server.memory()
    command = ["taskset", "-c", cores()[1], str(CLIENT), "--port", str(server.port), "--server", str(server.pid)]
    with (
        before_others(server.pid) if scenario.unit == "ms" else contextlib.nullcontext(),
        subprocess.Popen([*command, *scenario.arguments.split()], stdout=subprocess.PIPE, text=True) as client,
    ):
        assert client.stdout is not None
        client.stdout.readline()  # printed when all clients are connected
        if scenario.name == "memory":
            time.sleep(SETTLING_SECONDS)
        full = server.memory()
        text = client.stdout.readline()
    if client.returncode:
        sys.exit(f"The client failed in {scenario.name} against {server.side}.")
    answer = json.loads(text) | {"memory": full - empty}
    return Run(scenario.value(answer), answer, answer[scenario.cpu])


@contextlib.contextmanager
def before_others(server: int) -> Iterator[None]:
    """Give a server, and processes started meanwhile, priority over other work, if permitted."""
    here = 0
    before = os.getpriority(os.PRIO_PROCESS, here)
    with contextlib.suppress(PermissionError):
        for process in (here, server):
            os.setpriority(os.PRIO_PROCESS, process, HASTE)
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            for process in (here, server):
                os.setpriority(os.PRIO_PROCESS, process, before)


def tell(scenario: Scenario, side: str, run: Run) -> None:
    """Print a run."""
    server = run.answer["server_cpu" if scenario.cpu == "cpu" else "connect_server_cpu"]
    marks = [*(["VOID: the client was the limit"] if run.void else []), *([run.faults] if run.faults else [])]
    line = f"{scenario.name:<14}{TITLES[side]:<24}{run.value:>12,.1f}{run.client_share:>9.0%}{server:>9.0%}"
    print(f"{line}  {'; '.join(marks)}".rstrip(), flush=True)


def typical(runs: list[Run]) -> float:
    """Return the median of the valid runs, or NaN if there are none."""
    values = [run.value for run in runs if not run.void]
    return median(values) if values else math.nan


def times_better(scenario: Scenario, ours: float, peer: float) -> float:
    """Return how many times better ours is."""
    better, worse = (peer, ours) if scenario.less_is_better else (ours, peer)
    return better / worse if worse else math.nan

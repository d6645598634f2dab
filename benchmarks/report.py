"""Writes the table: to the screen, and between the marks in chassis/docs/performance.md."""

import math
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.install import CACHE, HERE
from benchmarks.measure import Run, Runs, times_better, typical
from benchmarks.scenarios import Scenario
from benchmarks.servers import TITLES

PAGE = HERE.parent / "chassis/docs/performance.md"
BEGIN, END = "<!-- `make bench` writes what follows -->", "<!-- end of what `make bench` writes -->"
LETTERS = {"stock": "(a)", "asgi": "(b)", "node": "(c)"}


def table(chosen: list[Scenario], sides: tuple[str, ...], runs: Runs) -> str:
    """Return the medians as a Markdown table; after a peer's figure, how many times better ours is."""
    lines = [f"| | {' | '.join(TITLES[side] for side in sides)} | aim |", f"|---|{'---:|' * len(sides)}---|"]
    for scenario in chosen:
        found = {side: typical(some) for side, some in runs[scenario.name].items()}
        cells = [cell(scenario, side, found, runs[scenario.name].get(side, [])) for side in sides]
        lines.append(f"| {scenario.title}, {scenario.unit} | {' | '.join(cells)} | {aim(scenario, found)} |")
    return "\n".join(lines)


def cell(scenario: Scenario, side: str, found: dict[str, float], runs: list[Run]) -> str:
    """Return one figure with its remarks."""
    if side not in found:
        return ""
    value = found[side]
    if math.isnan(value):
        return "void: the client was the limit"
    text = f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    if side != "ours":
        text += f" ({times_better(scenario, found['ours'], value):.1f})"
    faults = " ".join(sorted({run.faults for run in runs if run.faults}))
    return f"{text} {faults}".strip()


def aim(scenario: Scenario, found: dict[str, float]) -> str:
    """Return the aim, and whether it is reached."""
    aims = {side: times for side, times in scenario.times.items() if side in found}
    wanted = [f"{times:g} x {LETTERS[side]}" for side, times in aims.items()]
    reached = [times_better(scenario, found["ours"], found[side]) >= times for side, times in aims.items()]
    if scenario.limit is not None:
        wanted.insert(0, f"at most {scenario.limit:g}")
        reached.append(found["ours"] <= scenario.limit)
    if not wanted:
        return ""
    return f"{', '.join(wanted)}: {'reached' if all(reached) else '**missed**'}"


def write(chosen: list[Scenario], sides: tuple[str, ...], runs: Runs) -> None:
    """Write the table and its conditions to the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    rounds = min(len(some) for by_side in runs.values() for some in by_side.values())
    shares = [run.client_share for by_side in runs.values() for some in by_side.values() for run in some]
    said = (
        f"Medians of {rounds} runs, {datetime.now(UTC):%d %B %Y}, on {machine()}. {versions(sides)} "
        f"The client took at most {max(shares):.0%} of its core; a run with more than 80 % does not count. "
        "In brackets: how many times better this project is."
    )
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(chosen, sides, runs)}\n\n{said}\n\n{END}{after}", encoding="utf-8")


def machine() -> str:
    """Return a description of this machine."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def versions(sides: tuple[str, ...]) -> str:
    """Return the versions of the compared software."""
    libraries = ("gunicorn", "eventlet", *(["gevent"] if "gevent" in sides else []), "flask-socketio")
    ours = ", ".join(f"{name} {version(name)}" for name in libraries)
    said = [f"Python {platform.python_version()}; ours: {ours}"]
    for side in sides:
        if side in ("stock", "asgi"):
            names = ("gunicorn", "eventlet", "flask-socketio") if side == "stock" else ("uvicorn", "python-socketio")
            said.append(f"{LETTERS[side]}: " + ", ".join(f"{name} {locked(side, name)}" for name in names))
        elif side == "node":
            node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
            package = (CACHE / "node/node_modules/socket.io/package.json").read_text()
            found = re.search(r'"version": "([^"]+)"', package)
            said.append(f"(c): Node {node.removeprefix('v')}, socket.io {found[1] if found else ''}")
    return "; ".join(said) + "."


def locked(side: str, name: str) -> str:
    """Return the locked version of a requirement."""
    found = re.search(rf"^{name}==(\S+)", (HERE / "peers" / f"{side}.txt").read_text(), re.MULTILINE)
    return found[1] if found else ""

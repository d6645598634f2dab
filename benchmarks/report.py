"""Writes the table: to the screen, and between the marks in chassis/docs/performance.md."""

import math
import platform
import re
import subprocess
from importlib.metadata import version

from benchmarks import page
from benchmarks.install import CACHE, HERE
from benchmarks.measure import Run, Runs, times_better, typical
from benchmarks.scenarios import Scenario
from benchmarks.servers import MODES, TITLES

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
    """Write the table and its conditions to the page; that of this project's modes has a place of its own."""
    rounds = min(len(some) for by_side in runs.values() for some in by_side.values())
    shares = [run.client_share for by_side in runs.values() for some in by_side.values() for run in some]
    said = (
        f"{page.conditions(rounds)}. {versions(sides)} "
        f"The client took at most {max(shares):.0%} of its core; a run with more than 80 % does not count. "
        f"In brackets: how many times better {TITLES[sides[0]]} is."
    )
    page.put("modes" if set(sides) <= set(MODES) else "servers", table(chosen, sides, runs), said)


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

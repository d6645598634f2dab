"""Puts each benchmark's table between its marks in chassis/docs/performance.md."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "chassis/docs/performance.md"
COMMANDS = {
    "servers": "make bench",
    "modes": "python benchmarks/run.py --modes --write",
    "workers": "python benchmarks/workers.py --write",
    "jobs": "python benchmarks/jobs.py --write",
    "rows": "python benchmarks/rows.py --write",
    "database": "python benchmarks/database.py --write",
}


def marks(name: str) -> tuple[str, str]:
    """Return the lines before and after what a benchmark writes."""
    return f"<!-- `{COMMANDS[name]}` writes what follows -->", f"<!-- end of what `{COMMANDS[name]}` writes -->"


def put(name: str, table: str, said: str) -> None:
    """Replace a benchmark's table, and what is said below it."""
    begin, end = marks(name)
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    PAGE.write_text(f"{before}{begin}\n\n{table}\n\n{said}\n\n{end}{after}", encoding="utf-8")


def conditions(rounds: int) -> str:
    """Return the beginning of a sentence: how often it was measured, when and where."""
    times = f"Medians of {rounds} runs" if rounds > 1 else "One run"
    return f"{times}, {datetime.now(UTC):%d %B %Y}, on {machine()}"


def machine() -> str:
    """Return a description of this machine."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"

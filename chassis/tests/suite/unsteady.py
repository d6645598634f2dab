"""Runs failed tests again, alone and in a separate process: those that pass are unsteady, the rest are broken."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
KNOWN = ROOT / "chassis/tests/unsteady.txt"
MOST = 20  # failures that may be chance; with more, something is broken
SHOWN_LINES = 40  # of a failure


@dataclass(frozen=True)
class Failure:
    """A test that failed in the parallel run: its id, the phase (setup, call or teardown) and pytest's output."""

    test: str
    when: str
    text: str


def read(path: Path) -> list[Failure]:
    """Return the first recorded failure of each test."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [Failure(**json.loads(line)) for line in lines]
    return list({failure.test: failure for failure in reversed(found)}.values())[::-1]


def known(text: str) -> dict[str, str]:
    """Return {test: cause} from chassis/tests/unsteady.txt."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {test.strip(): cause.strip() for test, _, cause in (line.partition(" # ") for line in lines)}


def passes_alone(test: str) -> bool:
    """Run one test in a separate process; show its output when it fails again."""
    env = {name: value for name, value in os.environ.items() if name != "TEST_FAILURES"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout[-20_000:] + done.stderr[-2_000:], flush=True)
    return done.returncode == 0


def run_again(failures: list[Failure]) -> bool:
    """Return whether all failed tests pass alone; print those that do as unsteady, with their first failure."""
    if len(failures) > MOST:
        print(f"{len(failures)} tests failed: too many for chance, none is run again.")
        return False
    unsteady = []
    for failure in failures:
        print(f"== once more, alone: {failure.test}", flush=True)
        if passes_alone(failure.test):
            unsteady.append(failure)
    report(unsteady)
    return len(unsteady) == len(failures)


def report(unsteady: list[Failure]) -> None:
    """Print each unsteady test, and append it to the file named in TEST_UNSTEADY."""
    causes = known(KNOWN.read_text())
    lines = []
    for failure in unsteady:
        lines.append(f"unsteady: {failure.test} ({causes.get(failure.test, 'new: a defect, mend it')})")
        last = "\n    ".join(failure.text.splitlines()[-SHOWN_LINES:])
        print(f"{lines[-1]}\n  failed first, in its {failure.when}:\n    {last}", flush=True)
    if path := os.environ.get("TEST_UNSTEADY"):
        with Path(path).open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

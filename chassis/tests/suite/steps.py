"""Run commands one after another: `python3 -m chassis.tests.suite.steps "make lint" "make test"`.

Prints each command before it runs and the duration of the previous one. At the end, also after a failure, prints a
table of the steps and the unsteady tests found. The exit status is that of the first failed command. Needs no
package.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(commands: list[str]) -> int:
    """Run the commands until one fails; return its status, or 0."""
    with tempfile.TemporaryDirectory() as folder:
        inner, unsteady = Path(folder) / "steps", Path(folder) / "unsteady"
        lines, last, status = [], "", 0
        for command in commands:
            print(f"=== {command}{last}", flush=True)
            status, seconds = timed(command, TEST_STEPS=str(inner), TEST_UNSTEADY=_outer("TEST_UNSTEADY", unsteady))
            lines += [line(command, seconds, status), *(f"  {text}" for text in taken(inner))]
            last = f" (the last step took {clock(seconds)})"
            if status:
                break
        finish(lines, taken(unsteady))
    return status


def timed(command: str, **env: str) -> tuple[int, float]:
    """Run a shell command; return its status and its duration in seconds."""
    began = time.monotonic()
    status = subprocess.run(["bash", "-c", command], env={**os.environ, **env}, check=False).returncode
    return status, time.monotonic() - began


def finish(lines: list[str], unsteady: list[str]) -> None:
    """Pass the table to the enclosing steps, or print it when there are none."""
    if outer := os.environ.get("TEST_STEPS"):
        with Path(outer).open("a") as file:
            file.writelines(f"{text}\n" for text in lines)
        return
    print("=== steps", *lines, sep="\n")
    print("=== unsteady tests", *(unsteady or ["none"]), sep="\n", flush=True)


def line(command: str, seconds: float, status: int) -> str:
    """Return a row of the table."""
    return f"{clock(seconds):>7}  {command}{f'  FAILED with status {status}' if status else ''}"


def clock(seconds: float) -> str:
    """Return minutes and seconds: 4:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def taken(path: Path) -> list[str]:
    """Return a file's lines and delete the file."""
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def _outer(name: str, path: Path) -> str:
    return os.environ.get(name) or str(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Checks a clone that contains only the chassis: its lint, its tests and its server.

    python -m chassis.tests.clone [--keep PART]... [options of pytest]

Copies the files known to git, without the features of `app/features` and without `examples`, removes all parts except
those to keep, and runs `make lint`, the suite and the server in the copy. The exit status is that of the first one that
fails.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chassis.tests.servers import ROOT, Server, free_port

COMMIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "-qm", "Delete the example"]


def main() -> int:
    """Make the clone, check it, and return the exit status."""
    parser = argparse.ArgumentParser(description="Try a clone without the example and without parts.")
    parser.add_argument("--keep", action="append", default=[], metavar="PART", help="name this part all the same")
    given, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = bare_clone(Path(folder) / "clone", given.keep)
        return lint(clone) or serve(clone) or suite(clone, options)


def bare_clone(clone: Path, parts: list[str]) -> Path:
    """Copy the files known to git to a folder, without the features, examples and parts."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file() and not name.startswith(("app/features/", "examples/")):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    (clone / "app/features").mkdir()
    shutil.copy(ROOT / "app/features/__init__.py", clone / "app/features")
    service = clone / "app/__init__.py"
    named = "".join(f'"{part}", ' for part in parts)
    text, found = re.subn(r"parts=\([^)]*\)", f"parts=({named})", service.read_text())
    assert found == 1, "app/__init__.py names no parts"
    service.write_text(text)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    _run([sys.executable, "-m", "flask", "settings", "docs"], clone)
    _run(["git", "init", "-q"], clone)
    _run(["git", "add", "--all"], clone)
    _run(COMMIT, clone)
    return clone


def lint(clone: Path) -> int:
    """Run the checks of `make lint`, and return their status."""
    print("== lint of the clone", flush=True)
    return subprocess.run(["make", "lint"], cwd=clone, check=False).returncode


def serve(clone: Path) -> int:
    """Start the server, ask for what a service without features has, and return a status."""
    print("== the server of the clone", flush=True)
    env = {"APP_ENV": "test", "PORT": str(free_port())}
    server = Server(clone.parent, [sys.executable, str(clone / "run_web.py")], env)
    try:
        server.wait_ready()
        for path in ("/", "/healthz", "/metrics", "/api/docs", "/api/openapi.json"):
            status = server.get(path)[0]
            print(f"{status} {path}", flush=True)
            assert status == 200, server.log
    finally:
        status = server.stop()
    return status


def suite(clone: Path, options: list[str]) -> int:
    """Run the remaining tests, and return their status."""
    print("== the tests of the clone", flush=True)
    command = [sys.executable, "-m", "chassis.tests.suite", *options]
    return subprocess.run(command, cwd=clone, env=os.environ, check=False).returncode


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())

"""Run the tests: `python -m chassis.tests.suite [options of pytest]`; `make test` calls it.

Environment: TEST_ORDER=listed|reversed|random, TEST_SEED=number, TEST_BUSY=number of busy processes beside the tests,
TEST_UPTIME=seconds since the machine's start that the clock shows.
The exit status is pytest's, but 0 when every failed test passes alone.
"""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from chassis.tests.suite.busy import busy
from chassis.tests.suite.unsteady import ROOT, read, run_again
from chassis.tests.suite.uptime import restart_at

FAILED = 1  # pytest's status when it ran everything and tests failed


def main(options: list[str]) -> int:
    """Run pytest, then the failed tests again; return the exit status."""
    if uptime := os.environ.get("TEST_UPTIME"):
        restart_at(int(uptime))
    if os.environ.get("TEST_ORDER") == "random":
        seed = os.environ["TEST_SEED"] = os.environ.get("TEST_SEED") or str(random.randrange(1_000_000))
        print(f"random order, repeat it with ORDER=random SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, busy(int(os.environ.get("TEST_BUSY") or 0)):
        noted = Path(folder) / "failures"
        os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # else each process of the run compiles every test again
        command = [sys.executable, "-m", "pytest", *options]
        env = {**os.environ, "TEST_FAILURES": str(noted), "TEST_SHARED": folder}
        status = subprocess.run(command, cwd=ROOT, env=env).returncode
        if status != FAILED:
            return status
        failures = read(noted)
        return 0 if failures and run_again(failures) else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

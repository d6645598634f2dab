"""Compares the server with three others on this machine; `make bench` writes chassis/docs/performance.md with it.

    python benchmarks/run.py [--rounds N] [--seconds S] [--only NAME,...] [--against PEER,...] [--write]
                             [--modes] [--check]

The sides `gevent` and `threading` are this project in these modes; `--modes` compares all three in one run.
With --check it is a short run against (a) only, and the exit status is 1 if ours is not as many times better as
LEAST_TIMES requires.
"""

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks import report
from benchmarks.install import install
from benchmarks.measure import Runs, measure, times_better, typical
from benchmarks.scenarios import Scenario, scenarios
from benchmarks.servers import MODES, TITLES

# About two thirds of the measured values, so that a busy machine does not fail the check.
LEAST_TIMES = {"memory": 4.5, "connects": 0.8, "echo": 2.0, "fanout-500": 3.5, "large": 10.0, "http": 0.45}


def main() -> int:
    """Run the scenarios that the command line chooses."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    arguments = parsed()
    only = arguments.only.split(",") if arguments.only else None
    sides = ("ours", *(arguments.against.split(",") if arguments.against else ()))
    rounds, chosen = arguments.rounds, scenarios(arguments.seconds)
    if arguments.modes:
        sides, chosen = tuple(MODES), [one for one in scenarios(arguments.seconds, idle=2000) if not one.ours_only]
    if arguments.check:
        sides, rounds = ("ours", "stock"), 2
        chosen = [scenario for scenario in scenarios(0.7, idle=600) if scenario.name in LEAST_TIMES]
    chosen = [scenario for scenario in chosen if only is None or scenario.name in only]
    install(tuple(side for side in sides if side not in MODES))
    for runs in measure(chosen, sides, rounds):
        if arguments.write:
            report.write(chosen, sides, runs)  # after each round, so that an early end leaves a table too
        if arguments.check and not too_slow(chosen, runs):
            break  # a second round is only needed after a busy moment in the first
    print("\n" + report.table(chosen, sides, runs))
    faults = [run.faults for some in runs.values() for side in MODES for run in some.get(side, ()) if run.faults]
    slow = too_slow(chosen, runs) if arguments.check else []
    for problem in (*faults, *slow):
        print(problem, file=sys.stderr)
    return 1 if faults or slow else 0


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    sides = [side for side in TITLES if side != "ours"]
    usual = [side for side in sides if side != "threading"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="the table holds their medians")
    parser.add_argument("--seconds", type=float, default=4, help="how long most scenarios are measured")
    parser.add_argument("--only", help=f"of {', '.join(scenario.name for scenario in scenarios(1))}")
    parser.add_argument("--against", default=",".join(usual), help=f"of {', '.join(sides)}; empty for none")
    parser.add_argument("--modes", action="store_true", help="compare this project's modes with one another")
    parser.add_argument("--write", action="store_true", help="write the table to chassis/docs/performance.md")
    parser.add_argument("--check", action="store_true", help="a short run against (a) that fails when ours became slow")
    return parser.parse_args()


def too_slow(chosen: list[Scenario], runs: Runs) -> list[str]:
    """Return a sentence for each scenario in which ours is not as much better than (a) as required."""
    found = []
    for scenario in chosen:
        ours, peer = (typical(runs[scenario.name][side]) for side in ("ours", "stock"))
        times, least = times_better(scenario, ours, peer), LEAST_TIMES[scenario.name]
        if not times >= least:
            found.append(f"{scenario.title}: {times:.2f} times (a), at least {least} are expected")
    return found


if __name__ == "__main__":
    sys.exit(main())

"""Run the proofs, or those that are named, one after the other; exit with 1 when a step failed."""

import argparse
import importlib
import os
import pkgutil
import sys
import traceback

from chassis.tests.deploy import proof
from chassis.tests.deploy.proof.report import Report


def main() -> int:
    """Parse the command line and print the table."""
    modules = {
        module.name: importlib.import_module(f"chassis.tests.deploy.proof.{module.name}")
        for module in pkgutil.iter_modules(proof.__path__)
        if module.name != "__main__"
    }
    found = [name for name, module in modules.items() if hasattr(module, "prove")]
    parser = argparse.ArgumentParser(
        description="Builds, starts and breaks what deploy/ ships, for real (root, minutes)."
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(found)}; all when none is named")
    names = parser.parse_args().names or found
    if unknown := set(names) - set(found):
        parser.error(f"there is no proof {', '.join(sorted(unknown))}")
    if os.geteuid() != 0:
        parser.error("this needs root: it makes containers and boots a system of its own")
    report, ended_early = Report(), False
    for name in names:
        try:
            modules[name].prove(report)
        except Exception:
            traceback.print_exc()
            ended_early = True
    print("\n" + report.table())
    return 1 if report.failed or ended_early or not report.lines else 0


if __name__ == "__main__":
    sys.exit(main())

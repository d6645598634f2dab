"""`make screenshots`: writes a picture of every page and state into a folder, and fails for what is wrong with them."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from chassis.tests.browser import chromium
from chassis.tests.screenshots.seeded import seeded
from chassis.tests.screenshots.walk import take


def main() -> int:
    """Take the pictures; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    folder = parser.parse_args().folder
    path = shutil.which("chromium")
    if path is None:
        parser.error("chromium is not installed")
    with tempfile.TemporaryDirectory() as home, seeded(Path(home)) as service:
        found = take(service, chromium(path), folder)
    print(*sorted(set(found)), sep="\n")
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

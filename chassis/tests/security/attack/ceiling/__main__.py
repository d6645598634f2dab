"""Measure what the worst request or event costs, and write it into chassis/docs/security.md, but for those of features.

python -m chassis.tests.security.attack.ceiling             # print the tables, and what breaks the ceiling
python -m chassis.tests.security.attack.ceiling --write
python -m chassis.tests.security.attack.ceiling --few --mode gevent --only sign-in
"""

import argparse
import sys
import tempfile
from pathlib import Path

from chassis.tests.conftest import serving
from chassis.tests.security.attack.ceiling import table, wire
from chassis.tests.security.attack.ceiling.limits import STRANGER
from chassis.tests.security.attack.ceiling.measured import SETTINGS, framed, inside, over, sent


def main() -> int:
    """Return 1 when something breaks the ceiling."""
    parser = argparse.ArgumentParser(description="Measures what the worst request or event costs.")
    parser.add_argument("--write", action="store_true", help="write the tables into chassis/docs/security.md")
    parser.add_argument("--few", action="store_true", help="a few tries of each kind")
    parser.add_argument("--mode", default="eventlet", help="eventlet, gevent or threading")
    parser.add_argument("--only", default="", help="the rows that a regular expression finds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = inside(folder, asked.mode, few=asked.few, only=asked.only)
        with serving(folder) as start:
            server = start(**SETTINGS | {"ASYNC_MODE": asked.mode})
            worker = wire.Worker(server.workers()[0], server.port)
            of_routes = [sent(worker, row) for row in rows if row["who"] == STRANGER and "socket" not in row["row"]]
            of_frames = framed(worker, wire.everything())
    text = table.written([row for row in rows if not row["of_a_feature"]], of_routes, of_frames)
    table.write(text) if asked.write else print(text)
    print(*over([*rows, *of_routes, *of_frames]), sep="\n", file=sys.stderr)
    return bool(over([*rows, *of_routes, *of_frames]))


if __name__ == "__main__":
    sys.exit(main())

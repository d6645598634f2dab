"""A batch that something breaks under, and disks that break."""

import contextlib
import json
import os
import subprocess

import pytest

from chassis.tests.named import EXAMPLE, HAS_EXAMPLE

ROWS = [{"n": str(number)} for number in range(60)]


def refuse(reason):
    """Skip a test that this machine does not permit; not where everything is said to be there."""
    assert os.environ.get("CI") != "true", reason
    pytest.skip(reason)


def start_batch(server):
    if not HAS_EXAMPLE:
        pytest.skip("uses the example, which was deleted")
    made = server.post(f"/api/{EXAMPLE}", {"name": "faults", "prompt": "say {n}", "rows": ROWS})[1]
    return f"/api/{EXAMPLE}/{made['id']}"


def batch_of(server, path):
    return json.loads(server.get(path)[1])


def all_rows_once(server, path):
    rows = server.json(f"{path}/rows?limit=500")["items"]
    return sorted(row["output"] for row in rows) == sorted(f"echo: say {row['n']}" for row in ROWS)


def all_done(server, path):
    return batch_of(server, path)["status"] == "succeeded"


def fill(path):
    """Fill the disk with a file."""
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@contextlib.contextmanager
def made_read_only(folder):
    """Make the folder of the fixture `disk` read-only, also for root."""
    subprocess.run(["mount", "--bind", folder.with_name("read-only"), folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)

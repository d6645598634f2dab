"""A full disk, a folder without permission or a killed download leaves the old database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.errors import BootError
from chassis.tests.db.snapshot.reading import databases, names
from chassis.tests.patience import LIMIT_SECONDS, wait_until
from chassis.tests.servers import ROOT


def test_a_full_disk_is_said_and_cleaned(site, fetch, small_disk, make_database):
    target = small_disk / "app.db"
    target.write_bytes(make_database("old", rows=10))
    old = target.read_bytes()
    site.put("/app.db", make_database("new", rows=1000))
    url = site.url("/app.db")
    with pytest.raises(BootError, match="free some space"):
        fetch(url, target=target, policy="refresh")
    with pytest.raises(BootError, match="The disk is too full for the snapshot: free some space"):
        fetch(url, target=target, policy="refresh", free_bytes=lambda folder: 10**12)
    assert target.read_bytes() == old
    assert names(small_disk) == ["app.db"]


CHILD = """
import sys
from pathlib import Path
from chassis.db.snapshot.fetch import fetch_snapshot
from chassis.errors import BootError
try:
    fetch_snapshot(url=sys.argv[1], target=Path(sys.argv[2]), policy=sys.argv[3], max_bytes=10**9, timeout_seconds=600)
except BootError as error:
    sys.exit(error.message)
"""


def child(url: str, target: Path, policy: str, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", before + CHILD, url, str(target), policy]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_write_that_fails_midway_is_said_and_cleaned(site, data, target, old, make_database):
    site.put("/app.db", make_database("new", rows=1000))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
    process = child(site.url("/app.db"), target, "refresh", before=limit)
    _, said = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert "The disk is too full for the snapshot" in said
    assert target.read_bytes() == old
    assert names(data) == ["app.db"]


def test_a_folder_without_write_permission_is_said(site, fetch, data, make_database):
    site.put("/app.db", make_database("new"))
    (data / ".app.db.download").mkdir()
    with pytest.raises(BootError, match=r"cannot be written to .*make that folder writable"):
        fetch(site.url("/app.db"))


def test_a_killed_download_leaves_the_old_database_and_the_next_start_cleans_up(
    site, fetch, data, target, old, make_database, word_in
):
    site.put("/app.db", make_database("new", rows=2000), "stall")
    process = child(site.url("/app.db"), target, "refresh")
    try:
        temporary = data / ".app.db.download"
        wait_until(lambda: process.poll() or (temporary.exists() and temporary.stat().st_size > 50_000))
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert target.read_bytes() == old
    assert ".app.db.download" in names(data)
    assert fetch(site.url("/app.db"), policy="if-missing").outcome == "kept"
    assert databases(data) == ["app.db"]
    assert word_in(target) == "old"


def test_a_start_killed_between_link_and_rename_leaves_one_name(site, fetch, data, target, old, make_database):
    site.put("/app.db", make_database("new"))
    os.link(target, data / "app-20260102T030405Z.db")
    real = data / "app-20250102T030405Z.db"
    real.write_bytes(old)
    fetch(site.url("/app.db"))
    assert databases(data) == ["app-20250102T030405Z.db", "app.db"]

"""A backup under load is of one moment, and one that is killed leaves no half file."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from chassis.db import backup
from chassis.db.backup import copy
from chassis.db.snapshot.progress import Progress
from chassis.tests.db.backup.files import fill, names, quiet, rows, unpacked
from chassis.tests.patience import wait_until
from chassis.tests.servers import CLEAN, ROOT

WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=120)
connection.execute("PRAGMA journal_mode=WAL")
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE one SET n = n - 1")
    connection.execute("UPDATE other SET n = n + 1")
    connection.execute("COMMIT")
"""


def test_a_backup_under_load_is_of_one_moment_and_comes_to_an_end(make, path, folder, tmp_path, monkeypatch):
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE one AS SELECT 1000000 AS n")
        connection.execute("CREATE TABLE other AS SELECT 0 AS n")
        connection.commit()
    monkeypatch.setattr(copy, "STEP_BYTES", 65_536)
    steps = []
    monkeypatch.setattr(Progress, "__call__", lambda self, done, total: steps.append((self._what, done)))
    writing = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(2)]
    try:
        wait_until(lambda: rows(path, "other")[0][0] > 100)
        made = make()
        later = rows(path, "other")[0][0]
    finally:
        for process in writing:
            process.kill()
            process.wait()
    found = unpacked(folder, made.name, tmp_path / "copy.db")
    (one,), (other,) = rows(found, "one")[0], rows(found, "other")[0]
    assert one + other == 1_000_000
    copied = [done for what, done in steps if what == "copied"]
    assert len(copied) > 10
    assert copied == sorted(set(copied)), "it began anew, as it would for ever under a steady load"
    assert 100 < other < later
    assert copy.problem_of(found, "integrity_check") is None


# What stops in the middle, so that it can be killed there. Only one module gets another clock or digest: a backup also
# sleeps before its first file, when the name of this second is taken.
SLOW = """
import sys, time
from types import SimpleNamespace
from chassis.db import backup, db
from chassis.db.backup import copy, pack
from chassis.settings import Settings
def stop(*_):
    print("now", flush=True)
    sys.stdin.read()
class Digest:
    seen = 0
    def update(self, some):
        self.seen += len(some)
        if self.seen > 2_000_000: stop()
if sys.argv[2] == "copy":
    copy.time = SimpleNamespace(monotonic=time.monotonic, sleep=stop)
else:
    pack.hashlib = SimpleNamespace(sha256=Digest)
settings = Settings(app_env="test", database_url=f"sqlite:///{sys.argv[1]}")
db.open(settings)
backup.make(settings, report=lambda line: None)
"""


@pytest.mark.parametrize("where", ["copy", "pack"])
def test_a_backup_that_is_killed_leaves_the_earlier_ones_and_no_half_file(make, settings, path, folder, where):
    fill(path, rows=8000)
    first = make()
    command = [sys.executable, "-c", SLOW, str(path), where]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=CLEAN, text=True, **pipes) as process:
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    hidden = [name for name in names(folder) if name.startswith(".app-")]
    assert hidden
    assert [one.name for one in backup.listing(settings)] == [first.name]
    assert sorted(set(names(folder)) - set(hidden)) == [first.name, f"{first.name}.sha256"]
    second = make()
    assert names(folder) == sorted(f"{one.name}{end}" for one in (first, second) for end in ("", ".sha256"))
    assert backup.verify(first.name, settings, quiet).sha256 == first.sha256

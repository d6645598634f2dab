"""Left-over files go, and SQLite's file shrinks without holding up who writes."""

import os
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from chassis.db.engine import BUSY_SECONDS
from chassis.jobs import JobContext
from chassis.tests.patience import let_pass
from chassis.upkeep import sqlite_upkeep


def test_old_temporary_files_go_and_nothing_else(upkeep):
    folder = upkeep.settings.sqlite_path.parent
    (folder / "artefacts").mkdir()
    old = time.time() - 2 * 86_400
    gone = [folder / ".app.db.download", folder / "artefacts" / ".results.csv.part"]
    stay = [folder / "backup.part", folder / ".hidden", folder / "app-2026.db", folder / "artefacts" / "results.csv"]
    for path in (*gone, *stay):
        path.write_text("x")
        os.utime(path, (old, old))
    young = folder / ".app.db.copy"
    young.write_text("x")
    link = folder / ".link.tmp"
    link.symlink_to(stay[0])
    assert upkeep.run("cleanup") == "deleted 2 files"
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in (*stay, young, link))


def fill(path, rows):
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE IF NOT EXISTS things (text TEXT)")
        made.executemany("INSERT INTO things VALUES (?)", [("x" * 1_000,)] * rows)


def empty(path):
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("DELETE FROM things")


def free_pages(path):
    with closing(sqlite3.connect(path)) as made:
        return made.execute("PRAGMA freelist_count").fetchone()[0]


def test_a_small_file_is_written_anew_once_and_shrinks_in_steps_from_then_on(upkeep):
    assert upkeep.run("sqlite_upkeep").startswith("rewritten")
    fill(upkeep.settings.sqlite_path, 5_000)
    empty(upkeep.settings.sqlite_path)
    upkeep.run("sqlite_upkeep", sqlite_vacuum_max_bytes=0)
    assert free_pages(upkeep.settings.sqlite_path) == 0
    assert upkeep.settings.sqlite_path.stat().st_size < 1_000_000
    assert upkeep.settings.sqlite_path.with_name("app.db-wal").stat().st_size == 0
    with closing(sqlite3.connect(upkeep.settings.sqlite_path)) as made:
        assert made.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_large_file_that_cannot_shrink_in_steps_is_left_and_it_is_said(upkeep):
    fill(upkeep.settings.sqlite_path, 5_000)
    empty(upkeep.settings.sqlite_path)
    assert "above SQLITE_VACUUM_MAX_BYTES" in upkeep.run("sqlite_upkeep", sqlite_vacuum_max_bytes=0)
    assert free_pages(upkeep.settings.sqlite_path) > 1_000


def test_nobody_who_writes_is_refused_meanwhile(upkeep):
    upkeep.run("sqlite_upkeep")
    fill(upkeep.settings.sqlite_path, 20_000)
    empty(upkeep.settings.sqlite_path)
    written, stopping = [], threading.Event()

    def write():
        with closing(sqlite3.connect(upkeep.settings.sqlite_path, timeout=BUSY_SECONDS, isolation_level=None)) as own:
            while not stopping.is_set():
                own.execute("INSERT INTO things VALUES ('y')")
                written.append(1)
                let_pass(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        upkeep.run("sqlite_upkeep")
    finally:
        stopping.set()
        writer.join()
    assert len(written) > 20
    assert free_pages(upkeep.settings.sqlite_path) < 1_000


def test_a_log_that_somebody_reads_is_not_waited_for(upkeep):
    upkeep.run("sqlite_upkeep")
    with closing(sqlite3.connect(upkeep.settings.sqlite_path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        fill(upkeep.settings.sqlite_path, 10)
        assert "log not truncated" in upkeep.run("sqlite_upkeep")


def test_postgresql_is_left_alone(upkeep, monkeypatch):
    monkeypatch.setattr(type(upkeep.settings), "sqlite_path", None)
    assert upkeep.run("sqlite_upkeep") == "PostgreSQL needs no upkeep here"


@pytest.mark.parametrize("pages", [0, 1, 256, 257])
def test_as_many_steps_as_free_pages_need(monkeypatch, pages, tmp_path):
    asked = []
    monkeypatch.setattr(sqlite_upkeep, "_figures", lambda path: (2, 1_000, pages))
    monkeypatch.setattr(sqlite_upkeep, "_run", lambda path, *words: asked.append(words))
    monkeypatch.setattr(JobContext, "wait", lambda self, seconds: None)
    sqlite_upkeep.shrink(tmp_path, 0, JobContext("1", "x", 1, lambda *_: None))
    assert len(asked) == -(-pages // 256)

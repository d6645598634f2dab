"""A refresh takes a changed snapshot, and keeps the file that it replaces."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing

from chassis.db.snapshot.install import read_installed
from chassis.tests.db.snapshot.reading import databases, names, sha


def test_refresh_takes_a_changed_snapshot_and_keeps_the_old_file(site, fetch, data, target, make_database, word_in):
    first, second = make_database("first"), make_database("second")
    site.put("/app.db", first)
    fetch(site.url("/app.db"), policy="refresh")
    file = site.put("/app.db", first)
    again = fetch(site.url("/app.db"), policy="refresh")
    assert (again.outcome, again.sha256, file.asked) == ("unchanged", sha(first), [])

    site.put("/app.db", second)
    result = fetch(site.url("/app.db"), policy="refresh")
    assert (result.outcome, result.sha256) == ("installed", sha(second))
    assert re.fullmatch(r"app-\d{8}T\d{6}Z\.db", result.replaced.name)
    assert word_in(target) == "second"
    assert word_in(result.replaced) == "first"
    assert databases(data) == [result.replaced.name, "app.db"]
    assert read_installed(target)[0] == sha(second)
    assert read_installed(result.replaced)[0] == sha(first)


def test_two_refreshes_in_one_second_keep_both_files(site, fetch, data, target, make_database, word_in):
    for word in ("one", "two", "three"):
        site.put("/app.db", make_database(word))
        fetch(site.url("/app.db"), policy="refresh")
    assert sorted(word_in(data / name) for name in databases(data)) == ["one", "three", "two"]


def test_local_writes_to_a_snapshot_survive_when_it_did_not_change(site, fetch, target, make_database, word_in):
    site.put("/app.db", make_database("new"))
    fetch(site.url("/app.db"), policy="refresh")
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE words SET word = 'mine'")
        connection.commit()
    assert fetch(site.url("/app.db"), policy="refresh").outcome == "unchanged"
    assert word_in(target) == "mine"


def test_a_database_grown_here_is_kept_when_the_operator_asks_for_a_refresh(
    site, fetch, target, old, make_database, word_in
):
    target.chmod(0o640)
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert word_in(target) == "new"
    assert word_in(result.replaced) == "old"
    assert target.stat().st_mode & 0o777 == 0o640


def test_what_a_killed_process_left_in_the_log_goes_to_the_kept_file(site, fetch, data, target, old, make_database):
    crash = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE words SET word = 'late'")
connection.commit()
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", crash, str(target)])
    assert target.with_name("app.db-wal").stat().st_size > 0
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert names(data) == [result.replaced.name, "app.db"]
    with closing(sqlite3.connect(result.replaced)) as connection:
        assert connection.execute("SELECT DISTINCT word FROM words").fetchall() == [("late",)]

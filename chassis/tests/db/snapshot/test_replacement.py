"""A database that cannot be replaced safely is left as it is."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.errors import BootError
from chassis.tests.db.snapshot.reading import databases, names


def test_a_database_in_use_by_another_process_is_not_replaced(site, fetch, data, target, old, make_database, word_in):
    hold = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE words SET word = 'held'")
connection.commit()
print("ready", flush=True)
sys.stdin.read()
"""
    site.put("/app.db", make_database("new"))
    command = [sys.executable, "-c", hold, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(BootError, match="open in another process: stop that process"):
            fetch(site.url("/app.db"), policy="refresh")
        assert databases(data) == ["app.db"]
        assert word_in(target) == "held"
        process.stdin.close()
    assert fetch(site.url("/app.db"), policy="refresh").outcome == "installed"


def test_a_present_database_that_is_damaged_is_left_to_the_operator(site, fetch, target, make_database):
    target.write_bytes(b"not a database at all" * 1000)
    site.put("/app.db", make_database("new"))
    with pytest.raises(BootError, match=r"cannot be read .*move it away, then start again"):
        fetch(site.url("/app.db"), policy="refresh")
    assert target.read_bytes().startswith(b"not a database")


def test_the_old_file_is_copied_where_links_are_impossible(
    site, fetch, target, old, make_database, word_in, monkeypatch
):
    def refuse(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    site.put("/app.db", make_database("new"))
    result = fetch(site.url("/app.db"), policy="refresh")
    assert word_in(result.replaced) == "old"
    assert names(target.parent) == [result.replaced.name, "app.db"]


@pytest.mark.parametrize("links", [True, False])
def test_a_rename_that_fails_leaves_the_old_database_alone(
    site, fetch, data, target, old, make_database, monkeypatch, links
):
    rename = Path.replace

    def refuse(path: Path, *args: object) -> None:
        if path.name != ".app.db.download":
            return rename(path, *args)
        raise OSError(errno.EIO, "Input/output error")

    def no_links(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", refuse)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    site.put("/app.db", make_database("new"))
    with pytest.raises(BootError, match="Input/output error"):
        fetch(site.url("/app.db"), policy="refresh")
    assert target.read_bytes() == old
    assert names(data) == ["app.db"]

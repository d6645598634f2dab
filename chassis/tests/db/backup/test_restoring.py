"""A restore keeps the old database, and the commands tell what was done."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from chassis.cli import database
from chassis.db import backup, db
from chassis.db.backup import copy
from chassis.db.backup.checks import row_counts
from chassis.tests.db.backup.files import SAID, fill, put, quiet, rows
from chassis.wiring import wire


@pytest.fixture
def cli(settings):
    """Type a command of `flask db`."""
    app = Flask("small")
    wire(app, settings)

    def run(*arguments, answer=None):
        with app.app_context():
            done = app.test_cli_runner().invoke(database.group, arguments, input=answer)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return run


def test_a_restore_keeps_the_old_database_and_says_how_to_go_back(make, cli, path):
    make()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE later (n INTEGER)")
    status, said = cli("restore", "latest", answer="n\n")
    assert (status, "Nothing was changed." in said) == (1, True)
    assert "later" in row_counts(path)
    status, said = cli("restore", "latest", answer="y\n")
    assert (status, "later" in row_counts(path)) == (0, False)
    *_, flask, group, command, kept, yes = said.split()
    assert (flask, group, Path(kept).parent, yes) == ("flask", "db", path.parent, "--yes")
    assert cli(command, kept, yes)[0] == 0
    assert "later" in row_counts(path)


def test_the_commands_say_what_was_done_and_what_there_is(cli, settings, folder):
    assert cli("backups") == (0, "There are no backups.\n")
    old = [put(folder, days) for days in (20, 30, 40)]
    status, said = cli("backup")
    assert status == 0
    made = re.search(rf"made .*/backups/({SAID}), 0\.\d MB of 0\.\d MB, in \d", said)[1]
    assert f"removed {old[-1]}" in said
    assert re.search(rf"{made} +0\.0 MB +0\.0 h old  not verified\n{old[0]}", cli("backups")[1])
    assert re.search(rf"1  security_version\n(.*\n)*{made} is valid, SHA-256 [0-9a-f]{{64}}\n$", cli("verify")[1])
    assert re.search(rf"{made} .*  verified 20", cli("backups")[1])
    assert cli("verify", old[0])[0] == 1


def test_a_lost_database_is_restored_and_the_origin_of_a_present_one_stays_known(make, settings, path, tmp_path):
    make()
    db.close()
    path.unlink()
    for end in ("-wal", "-shm"):
        path.with_name(f"app.db{end}").unlink(missing_ok=True)
    assert backup.restore("latest", settings, quiet, lambda question: True).kept is None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE snapshot_installed (sha256 TEXT, installed_at TEXT, size_bytes INTEGER)")
        connection.execute("INSERT INTO snapshot_installed VALUES ('abc', '2026-01-01T00:00:00+00:00', 1)")
        connection.commit()
    backup.restore("latest", settings, quiet, lambda question: True)
    assert [row[0] for row in rows(path, "snapshot_installed")] == ["abc"]


@pytest.mark.parametrize("where", ["a page", "the header"])
def test_a_damaged_database_is_replaced_or_named(make, settings, path, where):
    fill(path)
    make()
    db.close()
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 if where == "a page" else 0)
        file.write(b"\xff" * 8192)
    db.open(settings)
    if where == "a page":
        kept = backup.restore("latest", settings, quiet, lambda question: True).kept
        assert copy.problem_of(path, "integrity_check") is None
        assert copy.problem_of(Path(kept), "integrity_check")
    else:
        with pytest.raises(backup.BackupError, match=r"app\.db cannot be read .*: move it away"):
            backup.restore("latest", settings, quiet, lambda question: True)

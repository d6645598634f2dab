"""What only the service may read is made so, whatever the umask of its start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.db import db
from chassis.db.backup import fetching
from chassis.db.snapshot import install
from chassis.observability.log_file import LogFile
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT


@pytest.fixture(autouse=True)
def open_to_all():
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_database_and_what_sqlite_puts_beside_it(tmp_path):
    db.open(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    db.write(lambda conn: conn.exec_driver_sql("CREATE TABLE t (a)"))
    db.read(lambda conn: conn.exec_driver_sql("SELECT * FROM t").all())
    found = {path.name: mode(path) for path in tmp_path.iterdir()}
    db.close()
    assert set(found.values()) == {0o600}
    assert {"app.db", "app.db-wal"} <= set(found)


def test_the_permissions_that_somebody_gave_a_database_stay(tmp_path):
    path = tmp_path / "app.db"
    path.touch(0o640)
    db.open(Settings(app_env="test", database_url=f"sqlite:///{path}"))
    db.write(lambda conn: conn.exec_driver_sql("CREATE TABLE t (a)"))
    db.close()
    assert mode(path) == 0o640


def test_a_database_that_was_fetched(tmp_path):
    fetched, target = tmp_path / "new", tmp_path / "app.db"
    fetched.write_bytes(b"x")
    install.install(fetched, target)
    assert mode(target) == 0o600
    assert mode(fetching.make_private(tmp_path / "while it comes")) == 0o600


def test_a_log_file(tmp_path):
    LogFile(tmp_path / "app.log").close()
    assert mode(tmp_path / "app.log") == 0o600


def test_the_boot_makes_nothing_that_others_may_read(tmp_path):
    env = {
        **CLEAN,
        "APP_ENV": "test",
        "DATABASE_URL": f"sqlite:///{tmp_path}/app.db",
        "LOG_FILE": f"{tmp_path}/app.log",
    }
    subprocess.run([sys.executable, "-m", "chassis.boot"], cwd=ROOT, env=env, check=True, capture_output=True)
    secret = [path for path in tmp_path.iterdir() if path.suffix != ".lock"]
    assert {path.name for path in secret} >= {"app.db", "app.log"}
    assert {mode(path) for path in secret} == {0o600}

"""A database that is full, read-only or locked: requests get 503 with the reason, starts end in one sentence."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from app import create_app
from chassis.boot import boot
from chassis.db import db, state
from chassis.db.faults import may_pass, reason_of
from chassis.db.trouble import unavailable
from chassis.errors import AppError
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT, new_database

MORE = 250_000  # bytes, more than the free pages of the file


@pytest.fixture
def app(tmp_path):
    """An application with a route that stores something, and one that reads it."""
    app = create_app(Settings(app_env="test", database_url=f"{new_database(tmp_path)}?timeout=0.05"))
    app.add_url_rule("/api/kept/<int:size>", "keep", keep, methods=["POST"])
    app.add_url_rule("/kept", "kept", lambda: str(db.read(lambda conn: state.get(conn, "kept"))))
    yield app
    db.close()


def keep(size):
    db.write(lambda conn: state.put(conn, "kept", "x" * size))
    return "", 202


@contextmanager
def pragma(statement):
    """Have SQLite refuse what the application's connections write."""

    def refuse(connection, _record):
        connection.execute(statement)

    event.listen(db.writer, "connect", refuse)
    yield
    event.remove(db.writer, "connect", refuse)


@contextmanager
def locked():
    """Hold the write lock in another connection."""
    with closing(sqlite3.connect(db.writer.url.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


REFUSALS = {
    "full": (lambda: pragma("PRAGMA max_page_count=1"), "its disk is full"),
    "read-only": (lambda: pragma("PRAGMA query_only=ON"), "it is read-only"),
    "locked": (locked, "it is busy"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_request_is_answered_503_with_the_reason_and_when_to_come_again(app, case, caplog):
    refusal, words = REFUSALS[case]
    with refusal():
        answer = app.test_client().post(f"/api/kept/{MORE}")
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_unavailable")
    assert words in answer.json["error"]["message"]
    assert answer.headers["Retry-After"] == "5"
    assert "INSERT" not in answer.text
    assert not [record for record in caplog.records if record.exc_info]
    assert app.test_client().post("/api/kept/1").status_code == 202


def test_people_get_a_page(app):
    with locked():
        answer = app.test_client().post("/api/kept/1", headers={"Accept": "text/html"})
        page = app.test_client().get("/kept", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert page.status_code == 200  # reading goes on


def test_what_does_not_pass_is_no_503():
    engine = create_engine("sqlite://")
    for statement in ("SELECT * FROM nowhere", "SELEC"):
        with pytest.raises(OperationalError) as raised, engine.connect() as connection:
            connection.execute(text(statement))
        assert unavailable(raised.value) is None
    assert unavailable(IntegrityError("INSERT", {}, Exception("UNIQUE"))) is None
    assert unavailable(ValueError("full")) is None
    assert reason_of(SQLAlchemyError("")) == "SQLAlchemyError"


@pytest.mark.long
def test_a_postgresql_that_is_read_only_or_away_may_pass(postgres_url):
    engine = create_engine(f"{postgres_url}?options=-c default_transaction_read_only=on")
    with pytest.raises(SQLAlchemyError) as raised, engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (a int)"))
    assert may_pass(raised.value)
    assert "it is read-only" in unavailable(raised.value).message
    with pytest.raises(SQLAlchemyError) as raised:
        create_engine("postgresql+psycopg://127.0.0.1:1/d").connect()
    told = unavailable(raised.value).message
    assert "127.0.0.1" not in told


@pytest.fixture
def refused(tmp_path):
    """Return a function that boots on the database of the test, and gives the sentence of the refusal."""

    def of(path=tmp_path / "app.db", **settings):
        with pytest.raises(AppError) as raised:
            boot(Settings(app_env="test", database_url=f"sqlite:///{path}", **settings))
        assert "\n" not in raised.value.message
        return raised.value.message

    yield of
    db.close()


def sql(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


DAMAGES = {
    "two versions": "INSERT INTO alembic_version VALUES ('0001')",
    "no version": "DELETE FROM alembic_version",
    "no column": "ALTER TABLE alembic_version RENAME COLUMN version_num TO n",
    "another version": "UPDATE alembic_version SET version_num = 'x;y'",
    "an earlier version": "UPDATE alembic_version SET version_num = '0001'",
    "no table of jobs": "DROP TABLE jobs",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_version_table_that_is_damaged_ends_the_start_in_a_sentence(tmp_path, refused, damage):
    new_database(tmp_path)
    sql(tmp_path / "app.db", DAMAGES[damage])
    assert refused().endswith(".")
    app = create_app(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    with app.app_context():
        for words in (["db", "upgrade"], ["doctor"]):
            found = app.test_cli_runner().invoke(args=words)
            assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    assert "BootError" not in app.test_client().get("/readyz").text


@pytest.mark.parametrize("statement", ["DROP TABLE app_state", "DROP TABLE boot_outcomes", "DROP TABLE audit_chain"])
def test_a_table_that_is_missing_ends_the_start_or_does_not_matter_to_it(tmp_path, statement):
    new_database(tmp_path)
    sql(tmp_path / "app.db", statement)
    try:
        boot(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    except AppError as error:
        assert "\n" not in error.message
    finally:
        db.close()


def test_a_stale_log_beside_a_copied_file_ends_the_start_in_a_sentence_or_harms_nothing(tmp_path):
    new_database(tmp_path)
    other, target = tmp_path / "other.db", tmp_path / "app.db"
    shutil.copy(target, other)
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE weights (weight BLOB)")
        connection.executemany("INSERT INTO weights VALUES (randomblob(1000))", [()] * 500)
        connection.commit()
        shutil.copy(tmp_path / "other.db-wal", tmp_path / "app.db-wal")
    for _ in range(2):
        try:
            boot(Settings(app_env="test", database_url=f"sqlite:///{target}"))
        except AppError as error:
            assert "\n" not in error.message
        finally:
            db.close()


def fill_up(path, but):
    """Fill the disk with a file, but for so many bytes."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while os.write(descriptor, b"x" * 4096):
            pass
    os.ftruncate(descriptor, path.stat().st_size - but)
    os.close(descriptor)


@pytest.mark.parametrize("start", ["an empty place", "a database to migrate"])
def test_a_disk_that_is_too_small_ends_the_start_in_one_sentence(small_disk, start):
    target = small_disk / "app.db"
    if start == "a database to migrate":
        shutil.copy(ROOT / "chassis/tests/db/schemas/0003.sql", small_disk / "weight")
        with closing(sqlite3.connect(target)) as connection:
            connection.executescript((small_disk / "weight").read_text())
        (small_disk / "weight").unlink()
    fill_up(small_disk / "ballast", but=80_000)
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{target}", "MIGRATE_BACKUP": "false"}
    done = subprocess.run([sys.executable, "-m", "chassis.boot"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "full" in done.stderr + done.stdout
    assert "unexpectedly" not in done.stderr + done.stdout

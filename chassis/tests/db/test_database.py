"""The port to the database, and its migrations."""

import subprocess
import sys
import textwrap
import threading

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from chassis.boot import branches
from chassis.db import Database, metadata
from chassis.db.faults import Fault, fault_of
from chassis.db.schema import CORE, Branch, pending, upgrade
from chassis.errors import BootError
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT
from chassis.tests.patience import LIMIT_SECONDS


@pytest.fixture
def database(tmp_path):
    one = Database()
    one.open(Settings(database_url=f"sqlite:///{tmp_path}/a.db", database_slow_query_seconds=0.2))
    yield one
    one.close()


def execute(sql):
    return lambda conn: conn.execute(text(sql))


def test_a_write_is_kept_and_one_that_raises_is_not(database):
    database.write(execute("CREATE TABLE t (n INTEGER)"))

    def half(conn):
        conn.execute(text("INSERT INTO t VALUES (1)"))
        raise ValueError

    with pytest.raises(ValueError):
        database.write(half)
    database.write(execute("INSERT INTO t VALUES (2)"))
    assert database.read(lambda conn: conn.execute(text("SELECT n FROM t")).scalars().all()) == [2]
    assert database.read(lambda conn: conn.execute(text("SELECT n FROM t")).scalars().all(), unbounded=True) == [2]


def test_a_writer_waits_for_the_other_writers_of_its_process_as_long_as_for_the_database(database, monkeypatch):
    """Four of them would wait four times as long one after another, and a request for all of them."""
    monkeypatch.setattr("chassis.db.database.BUSY_SECONDS", 0.1)
    began, over = threading.Event(), threading.Event()

    def long(conn):
        began.set()
        over.wait(LIMIT_SECONDS)

    other = threading.Thread(target=database.write, args=(long,))
    other.start()
    assert began.wait(LIMIT_SECONDS)
    with pytest.raises(OperationalError) as refused:
        database.write(execute("CREATE TABLE t (n INTEGER)"))
    over.set()
    other.join()
    assert fault_of(refused.value) is Fault.BUSY
    database.write(execute("CREATE TABLE t (n INTEGER)"))


def test_a_slow_statement_is_logged(database, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "chassis.db.database.log.warning", lambda event, **fields: lines.append((event, fields)), raising=False
    )
    slow = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) SELECT count(*) FROM c"
    database.read(lambda conn: conn.execute(text(slow)).scalar(), unbounded=True)
    ((event, fields),) = lines
    assert event == "slow_query"
    assert fields["statement"] == slow


@pytest.mark.long
def test_writers_of_several_processes_lose_nothing(database, tmp_path):
    database.write(execute("CREATE TABLE t (n INTEGER)"))
    database.write(execute("INSERT INTO t VALUES (0)"))
    code = f"""
        from sqlalchemy import text
        from chassis.db import Database
        from chassis.settings import Settings
        db = Database(); db.open(Settings(database_url="sqlite:///{tmp_path}/a.db"))
        def add(conn):
            n = conn.execute(text("SELECT n FROM t")).scalar()
            conn.execute(text(f"UPDATE t SET n = {{n + 1}}"))
        for _ in range(50):
            db.write(add)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    running = [subprocess.Popen(command, cwd=ROOT, env=CLEAN) for _ in range(3)]
    assert [process.wait(LIMIT_SECONDS) for process in running] == [0, 0, 0]
    assert database.read(lambda conn: conn.execute(text("SELECT n FROM t")).scalar()) == 150


@pytest.mark.parametrize("mode", ["eventlet", "gevent"])
def test_a_write_that_waits_for_a_lock_does_not_hold_up_the_hub(database, tmp_path, mode):
    database.write(execute("CREATE TABLE t (n INTEGER)"))
    patch = (
        "import eventlet; eventlet.monkey_patch()"
        if mode == "eventlet"
        else "from gevent import monkey; monkey.patch_all()"
    )
    code = f"""
        {patch}
        import sqlite3, threading, time
        from sqlalchemy import text
        from chassis.db import Database
        from chassis.settings import Settings
        from chassis.tests.patience import wait_until
        db = Database(); db.open(Settings(database_url="sqlite:///{tmp_path}/a.db")); db.warm()
        holder = sqlite3.connect("{tmp_path}/a.db", isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
        ticks, stop = 0, False
        def tick():
            global ticks
            while not stop:
                time.sleep(0.01)
                ticks += 1
        ticker = threading.Thread(target=tick); ticker.start()
        insert = lambda: db.write(lambda c: c.execute(text("INSERT INTO t VALUES (1)")))
        writers = [threading.Thread(target=insert) for _ in range(20)]
        for writer in writers: writer.start()
        wait_until(lambda: ticks > 50)  # a write that held up the hub would give up its own wait before
        assert all(writer.is_alive() for writer in writers)
        holder.execute("ROLLBACK")
        for writer in writers: writer.join()
        stop = True; ticker.join()
        assert db.read(lambda c: c.execute(text("SELECT count(*) FROM t")).scalar()) == 20
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, env=CLEAN, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_migrations_make_every_declared_table(database):
    assert upgrade(database, branches())
    assert pending(database, branches()) == []
    with database.reader.connect() as connection:
        found = inspect(connection)
        for name, table in metadata.tables.items():
            assert {c["name"] for c in found.get_columns(name)} == set(table.columns.keys())
            assert {i["name"] for i in found.get_indexes(name)} >= {i.name for i in table.indexes}


def test_a_newer_database_is_refused_with_what_to_do(database):
    upgrade(database, [CORE])
    database.write(execute("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BootError, match="newer than this code"):
        upgrade(database, [CORE])


def test_a_removed_feature_leaves_its_tables_and_nothing_breaks(database, tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n\n\n"
        "def upgrade():\n    op.create_table('mine', sa.Column('n', sa.Integer))\n"
    )
    upgrade(database, [CORE, Branch("removed", folder)])
    assert upgrade(database, [CORE]) == []
    database.read(execute("SELECT n FROM mine"))

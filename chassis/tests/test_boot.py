"""The boot: in order, once, and with a sentence when it fails."""

import hashlib
import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from gunicorn.config import Config
from pydantic import SecretStr

from chassis.base.service import current
from chassis.boot import boot
from chassis.db import db, state
from chassis.db.state import FAILED_BOOT
from chassis.errors import AppError
from chassis.server.start import refuse_tls
from chassis.settings import Settings
from chassis.tests.conftest import CLEAN, ROOT, free_port
from chassis.tests.patience import LIMIT_SECONDS
from chassis.tests.servers import migrated_database, new_database

STEPS = ["fetch the snapshot", "check the database", "check Redis", "migrate", "reset stalled jobs"]


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def stalling_server():
    """A server that accepts a request and never answers."""
    gate = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            gate.wait()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/a.db"
    gate.set()
    server.shutdown()


def snapshot(tmp_path, *statements):
    path = tmp_path / "seed.db"
    path.write_bytes(migrated_database())
    for statement in ("PRAGMA journal_mode=DELETE", "CREATE TABLE seeded (n INTEGER)", *statements):
        sql(path, statement)
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def sql(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchone()


def boot_child(server):
    """Return the pid of the only child that a master has while the port is closed."""
    return server.workers() if refused(server.port) else []


def test_every_step_is_logged_in_order_with_its_duration_and_a_snapshot_is_there_before_the_migrations(serve, tmp_path):
    began = int(time.time())  # whole seconds are kept
    url, checksum = snapshot(tmp_path)
    server = serve(DATABASE_SNAPSHOT_URL=url, DATABASE_SNAPSHOT_SHA256=checksum)
    lines = [json.loads(line) for line in server.log.splitlines() if '"boot_step"' in line]
    assert [line["step"] for line in lines] == STEPS
    assert all(line["duration_seconds"] >= 0 for line in lines)
    with sqlite3.connect(tmp_path / "app.db") as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"seeded", "jobs", "alembic_version"} <= names
    assert 'app_snapshot_info{outcome="installed"} 1.0' in server.get("/metrics")[1]
    assert 0 < server.metric("app_snapshot_age_seconds") < time.time() - began


def test_a_wrong_checksum_stops_the_start_with_one_sentence_and_a_closed_port(serve, tmp_path):
    url, _ = snapshot(tmp_path)
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=url, DATABASE_SNAPSHOT_SHA256="0" * 64)
    assert server.process.wait(LIMIT_SECONDS) == 1
    assert refused(server.port)
    assert "Traceback" not in server.log
    assert "checksum" in server.log.lower()
    assert not (tmp_path / "app.db").exists()


def settings_of(tmp_path, url, checksum, policy):
    snapshot = {"database_snapshot_url": url, "database_snapshot_sha256": checksum, "database_snapshot_policy": policy}
    return Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db", **snapshot)


def foreign(tmp_path):
    sql(tmp_path / "foreign.db", "CREATE TABLE t (a)")
    return (tmp_path / "foreign.db").as_uri(), hashlib.sha256((tmp_path / "foreign.db").read_bytes()).hexdigest()


WORSE = {
    "other tables": (foreign, "does not belong to this service"),
    "a newer version": (
        lambda folder: snapshot(folder, "UPDATE alembic_version SET version_num = '9999'"),
        "newer than this code",
    ),
    "a column too few": (
        lambda folder: snapshot(folder, "ALTER TABLE api_keys DROP COLUMN expires_at"),
        "lacks columns of its version: api_keys.expires_at",
    ),
    "no version": (lambda folder: snapshot(folder, "DELETE FROM alembic_version"), "tables without a version: core"),
    "a table too few": (lambda folder: snapshot(folder, "DROP TABLE jobs"), "lacks tables of its version: jobs"),
    "a version table that is none": (
        lambda folder: snapshot(folder, "ALTER TABLE alembic_version RENAME COLUMN version_num TO n"),
        "cannot be read",
    ),
    "nothing to fetch": (lambda folder: ((folder / "none.db").as_uri(), "0" * 64), "No such file"),
    "another checksum": (lambda folder: (snapshot(folder)[0], "0" * 64), "expected"),
}
if "accounts" in current().parts:
    WORSE["a part without a version"] = (
        lambda folder: snapshot(folder, "DROP TABLE alembic_version_accounts"),
        "tables without a version: accounts",
    )


@pytest.mark.parametrize("case", WORSE)
def test_a_refresh_never_replaces_a_good_database_by_a_worse_one(tmp_path, case):
    prepare, sentence = WORSE[case]
    new_database(tmp_path)
    sql(tmp_path / "app.db", "UPDATE security_version SET number = 4711")
    url, checksum = prepare(tmp_path)
    boot(settings_of(tmp_path, url, checksum, "refresh"))
    assert sql(tmp_path / "app.db", "SELECT number FROM security_version") == (4711,)
    (told,) = sql(tmp_path / "app.db", "SELECT outcome FROM boot_outcomes WHERE step = 'fetch the snapshot'")
    assert told.startswith("refused: ")
    assert sentence in told
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".app.db") or "-20" in path.name]


@pytest.mark.parametrize("case", WORSE)
@pytest.mark.parametrize("policy", ["if-missing", "refresh"])
def test_a_snapshot_that_is_refused_is_left_nowhere(tmp_path, case, policy):
    prepare, sentence = WORSE[case]
    with pytest.raises(AppError, match=sentence):
        boot(settings_of(tmp_path, *prepare(tmp_path), policy))
    assert not list(tmp_path.glob("*app.db*[!k]"))
    assert not (tmp_path / "app.db").exists()
    url, checksum = snapshot(tmp_path)  # a good one is taken then
    boot(settings_of(tmp_path, url, checksum, policy))
    assert sql(tmp_path / "app.db", "SELECT count(*) FROM seeded") == (0,)


def test_a_refresh_that_fails_on_a_database_that_is_no_good_either_stops_the_start(tmp_path):
    (tmp_path / "app.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(AppError, match="does not belong to this service"):
        boot(settings_of(tmp_path, *foreign(tmp_path), "refresh"))


def test_a_refused_refresh_is_told_by_readiness_and_metrics(serve, tmp_path):
    new_database(tmp_path)
    url, checksum = foreign(tmp_path)
    names = ("DATABASE_SNAPSHOT_URL", "DATABASE_SNAPSHOT_SHA256", "DATABASE_SNAPSHOT_POLICY")
    server = serve(**dict(zip(names, (url, checksum, "refresh"), strict=True)))
    check = server.json("/readyz")["checks"]["snapshot"]
    assert check["ok"]
    assert "does not belong to this service" in check["detail"]
    assert 'app_snapshot_info{outcome="refused"} 1.0' in server.get("/metrics")[1]
    assert "snapshot_refused" in server.log


@pytest.fixture
def refusal():
    """Return a function that boots on a database in this process, and gives the sentence of the refusal."""

    def of(url):
        with pytest.raises(AppError) as raised:
            boot(Settings(app_env="test", database_url=SecretStr(url)))
        assert raised.value.exit_status == 1
        return raised.value.message

    yield of
    db.close()


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"SQLite format 3\0" + b"\0" * 4000])
def test_a_database_that_is_none_stops_the_start_with_what_to_do(refusal, tmp_path, content):
    (tmp_path / "app.db").write_bytes(content)
    told = refusal(f"sqlite:///{tmp_path}/app.db")
    assert "cannot be used" in told
    assert "restore it from a backup" in told


def test_a_second_start_finds_nothing_to_do(tmp_path):
    settings = Settings(app_env="test", database_url=new_database(tmp_path))
    boot(settings)
    db.open(settings)
    assert db.read(lambda conn: state.get(conn, FAILED_BOOT)) is None
    db.close()


def test_tls_is_refused_where_the_port_would_speak_plain_text(serve, tmp_path):
    (tmp_path / "tls.pem").write_text("")
    server = serve(ready=False, GUNICORN_CMD_ARGS=f"--certfile={tmp_path}/tls.pem")
    assert server.process.wait(LIMIT_SECONDS) == 78
    assert "not support TLS" in server.log
    assert "Traceback" not in server.log


def test_tls_is_refused_by_its_key_alone(tmp_path):
    (tmp_path / "tls.pem").write_text("")
    master = SimpleNamespace(cfg=Config(), log=Mock())
    refuse_tls(master)
    master.cfg.set("keyfile", f"{tmp_path}/tls.pem")
    with pytest.raises(SystemExit, match="78"):
        refuse_tls(master)


def test_a_folder_that_cannot_be_made_stops_the_start(refusal, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be created" in refusal(f"sqlite:///{tmp_path}/file/app.db")


def test_a_lock_file_that_cannot_be_made_stops_the_start(refusal, tmp_path):
    (tmp_path / "app.db.lock").mkdir()
    assert "app.db.lock cannot be created" in refusal(f"sqlite:///{tmp_path}/app.db")


def test_a_database_server_that_is_away_stops_the_start_with_what_to_do(refusal):
    pytest.importorskip("psycopg")
    told = refusal(f"postgresql+psycopg://app:hush@127.0.0.1:{free_port()}/app")
    assert "check DATABASE_URL" in told
    assert "hush" not in told


def test_two_starts_at_once_on_one_database_both_serve(serve, tmp_path):
    servers = [serve(ready=False, empty=True) for _ in range(2)]
    for server in servers:
        server.wait_ready()
        assert "Traceback" not in server.log
    assert {p.name for p in tmp_path.glob("app.db*")} >= {"app.db", "app.db.lock"}


def test_sigterm_ends_the_boot(serve, stalling_server, wait_for):
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=stalling_server)
    wait_for(lambda: boot_child(server))
    assert refused(server.port)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(LIMIT_SECONDS) == 143  # the answer never comes


def test_the_boot_dies_with_its_parent(serve, stalling_server, wait_for):
    server = serve(ready=False, DATABASE_SNAPSHOT_URL=stalling_server)
    (child,) = wait_for(lambda: boot_child(server))
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    wait_for(lambda: not Path(f"/proc/{child}").exists())


def test_a_check_says_whether_a_start_would_do(tmp_path):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}
    command = [sys.executable, "run_web.py", "--check"]
    good = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []
    bad = subprocess.run(command, cwd=ROOT, env={**env, "PORT": "x"}, capture_output=True, text=True)
    assert bad.returncode == 78
    assert "PORT" in bad.stderr

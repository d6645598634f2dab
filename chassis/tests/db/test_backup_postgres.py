"""Backups of a real PostgreSQL: proven in a scratch database, put back, and the old one kept."""

import re
import shlex
import subprocess
import sys
from contextlib import closing

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr

from chassis.boot import branches
from chassis.db import backup, db, state
from chassis.db.backup.server import MARK, alone_on, at
from chassis.db.schema import CORE, _config, upgrade
from chassis.settings import Settings
from chassis.tests.documents import blocks
from chassis.tests.servers import CLEAN, ROOT
from chassis.tests.services import psql

pytestmark = pytest.mark.usefixtures("postgres_server")


def quiet(line):
    pass


def yes(question):
    return True


@pytest.fixture
def settings(postgres_url, tmp_path):
    """Those of a service whose database is migrated and has something in it."""
    made = Settings(app_env="test", database_url=postgres_url, backup_to=str(tmp_path / "backups"))
    db.open(made)
    upgrade(db, branches())
    keep("first")
    yield made
    db.close()


def keep(value):
    db.write(lambda conn: state.put(conn, "kept", value))


def kept():
    return db.read(lambda conn: state.get(conn, "kept"))


def databases(url):
    """Return the names of the server's databases that begin as the service's."""
    name = url.rpartition("/")[2]
    listed = psql(at(url, "postgres"), "SELECT datname FROM pg_database ORDER BY 1").splitlines()
    return [one for one in listed if one == name or one.startswith(f"{name}_")]


def name_of(url):
    return url.rpartition("/")[2]


@pytest.mark.long
def test_a_drill_restores_into_a_scratch_database_and_leaves_none(settings, postgres_url):
    made, said = backup.make(settings, report=quiet), []
    scratch = f"{name_of(postgres_url)}_drill"
    psql(at(postgres_url, "postgres"), f"CREATE DATABASE {scratch}")
    with pytest.raises(backup.BackupError, match=f"a database {scratch} that was not created for this: rename it"):
        backup.verify("latest", settings, quiet)
    psql(at(postgres_url, "postgres"), f"COMMENT ON DATABASE {scratch} IS '{MARK}'")  # of one that was killed
    proof = backup.verify("latest", settings, said.append)
    assert (proof.name, proof.sha256, proof.migrated) == (made.name, made.sha256, [])
    assert proof.rows["app_state"] == 1
    assert proof.rows["security_version"] == 1
    assert databases(postgres_url) == [name_of(postgres_url)]
    assert backup.listing(settings)[0].proven_at
    assert any(line.startswith("restored: table 2 of") and "%" in line for line in said)


def test_a_restore_is_refused_while_somebody_is_connected_and_keeps_the_old_database(settings, postgres_url):
    backup.make(settings, report=quiet)
    keep("second")
    in_use = pytest.raises(backup.BackupError, match=r"in use \(1 connections from 127\.0\.0\.1\): stop the service")
    with closing(psycopg.connect(postgres_url.replace("+psycopg", ""))), in_use:
        backup.restore("latest", settings, quiet, yes)
    assert backup.restore("latest", settings, quiet, lambda question: False) is None
    assert databases(postgres_url) == [name_of(postgres_url)]

    done = backup.restore("latest", settings, quiet, yes)
    assert (done.pending, kept()) == ([], "first")
    assert databases(postgres_url) == [name_of(postgres_url), done.kept]
    with pytest.raises(backup.BackupError, match="was not created for this"), alone_on(postgres_url, quiet) as server:
        server.drop(name_of(postgres_url))

    back = backup.restore(done.kept, settings, quiet, yes)
    assert kept() == "second"
    assert databases(postgres_url) == [name_of(postgres_url), back.kept]


@pytest.mark.long
def test_who_connects_in_the_last_moment_keeps_the_database_as_it_is(settings, postgres_url):
    backup.make(settings, report=quiet)
    opened = []

    def late(question):
        opened.append(psycopg.connect(postgres_url.replace("+psycopg", "")))
        return True

    with pytest.raises(backup.BackupError, match=r"being accessed by other users.* stop the service first"):
        backup.restore("latest", settings, quiet, late)
    opened[0].close()
    assert databases(postgres_url) == [name_of(postgres_url)]
    assert kept() == "first"


@pytest.mark.long
def test_a_database_that_is_lost_is_made_anew(settings, postgres_url):
    backup.make(settings, report=quiet)
    db.close()
    psql(at(postgres_url, "postgres"), f"DROP DATABASE {name_of(postgres_url)}")
    done = backup.restore("latest", settings, quiet, yes)
    assert (done.kept, kept()) == (None, "first")


@pytest.mark.long
def test_without_the_right_to_make_databases_that_is_said(settings, postgres_url):
    name = name_of(postgres_url)
    psql(postgres_url, f"CREATE ROLE poor{name} LOGIN; GRANT app TO poor{name}")
    poor = settings.model_copy(update={"database_url": SecretStr(postgres_url.replace("app@", f"poor{name}@"))})
    backup.make(poor, report=quiet)
    for work in (lambda: backup.verify("latest", poor, quiet), lambda: restored(poor)):
        with pytest.raises(backup.BackupError, match=rf"permission denied.*: ALTER ROLE poor{name} CREATEDB") as told:
            work()
        assert "\n" not in told.value.message
    assert databases(postgres_url) == [name]
    assert "ALTER ROLE" in db.read(backup.failed)["drill"]["why"]


@pytest.mark.long
@pytest.mark.parametrize("where", ["with its checksum", "without one", "not a PostgreSQL dump"])
def test_a_damaged_dump_is_told_in_a_sentence_and_leaves_nothing(settings, postgres_url, where):
    made = backup.make(settings, report=quiet)
    file = settings_folder(settings) / made.name
    data = file.read_bytes()
    file.write_bytes(b"not a PostgreSQL dump" if where == "not a PostgreSQL dump" else data[: len(data) * 2 // 3])
    if where != "with its checksum":
        file.with_name(f"{file.name}.sha256").unlink()
    why = {
        "with its checksum": ", expected",
        "without one": "pg_restore failed",
        "not a PostgreSQL dump": "is not a PostgreSQL dump",
    }
    for work in (lambda: backup.verify("latest", settings, quiet), lambda: restored(settings)):
        with pytest.raises(backup.BackupError, match=why[where]) as told:
            work()
        assert "\n" not in told.value.message
    assert databases(postgres_url) == [name_of(postgres_url)]
    assert kept() == "first"


def settings_folder(settings):
    from chassis.db.backup.places import place_of

    return place_of(settings).staging


def restored(settings):
    return backup.restore("latest", settings, quiet, yes)


@pytest.mark.long
@pytest.mark.parametrize("missing", ["pg_dump", "pg_restore"])
def test_a_tool_that_is_missing_is_said(settings, monkeypatch, missing):
    if missing == "pg_restore":
        backup.make(settings, report=quiet)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(backup.BackupError, match=f"need {missing}: install postgresql-client"):
        backup.verify("latest", settings, quiet) if missing == "pg_restore" else backup.make(settings, report=quiet)


@pytest.mark.long
def test_an_older_backup_is_migrated_in_the_drill_and_by_the_next_start(settings, postgres_url):
    psql(postgres_url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    command.upgrade(_config(db, CORE), "0004")
    upgrade(db, [branch for branch in branches() if branch != CORE])
    backup.make(settings, report=quiet)
    newest = CORE.revisions()[-1]
    assert backup.verify("latest", settings, quiet).migrated == [f"core: 0004 -> {newest}"]
    assert backup.restore("latest", settings, quiet, yes).pending == [f"core: 0004 -> {newest}"]
    assert upgrade(db, branches()) == [f"core: 0004 -> {newest}"]
    psql(postgres_url, "UPDATE alembic_version SET version_num = '9999'")
    backup.make(settings, report=quiet)
    with pytest.raises(backup.BackupError, match="newer than this code"):
        backup.verify("latest", settings, quiet)
    assert databases(postgres_url)[0] == name_of(postgres_url)


@pytest.mark.long
def test_the_documented_commands_go_there_and_back(settings, postgres_url):
    env = {**CLEAN, "APP_ENV": "test", "DATABASE_URL": postgres_url, "BACKUP_TO": settings.backup_to}

    def typed(line):
        command = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    backup.make(settings, report=quiet)
    keep("second")
    db.close()
    *_, back = typed("flask db restore latest --yes").splitlines()
    (documented,) = blocks("chassis/docs/operations.md", "PostgreSQL")[0].splitlines()
    assert re.sub(r"\d{14}", "", back.strip()).replace(name_of(postgres_url), "app") == re.sub(
        r"\d{14}", "", documented
    )
    db.open(settings)
    assert kept() == "first"
    db.close()
    typed(back.strip())
    db.open(settings)
    assert kept() == "second"

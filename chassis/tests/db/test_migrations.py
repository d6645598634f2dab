"""Migrations: from every schema that was released, each whole or not at all, and not without a backup."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis import boot
from chassis.boot import branches
from chassis.db import backup, db
from chassis.db.backup.checks import row_counts
from chassis.db.schema import CORE, Branch, pending, print_sql, upgrade
from chassis.settings import Settings
from chassis.tests.servers import new_database

RELEASED = sorted(path.stem for path in Path(__file__).with_name("schemas").glob("*.sql"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.db"


@pytest.fixture
def settings(path):
    made = Settings(app_env="test", database_url=f"sqlite:///{path}")
    db.open(made)
    yield made
    db.close()


def release(path, revision):
    """Make the database that a release left behind."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("schemas").joinpath(f"{revision}.sql").read_text())


def schema_of(path):
    """Return {table: {its name: its columns, its index: its SQL}}."""
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute("SELECT tbl_name, name, type, sql FROM sqlite_master WHERE sql IS NOT NULL")
        found = {}
        for table, name, kind, sql in listed.fetchall():
            columns = {row[1:4] for row in connection.execute(f"PRAGMA table_info({table})")}
            found.setdefault(table, {})[name] = columns if kind == "table" else sql
        return found


def virtual(path):
    """Return the virtual tables, such as full-text indexes, and the tables that SQLite makes for them."""
    with closing(sqlite3.connect(path)) as connection:
        return {name for _, name, kind, *_ in connection.execute("PRAGMA table_list") if kind in ("virtual", "shadow")}


def known(table):
    """Return whether a table is of a branch that is still there: that of a deleted feature stays as it is."""
    steps = [step.read_text() for branch in branches() for step in branch.folder.glob("*.py")]
    return table in {branch.version_table for branch in branches()} or any(f'"{table}"' in step for step in steps)


def test_the_tables_of_a_revision_are_those_that_its_migrations_make(path, settings):
    upgrade(db, branches())
    versions = {branch.version_table for branch in branches()}
    made = {table for branch in branches() for table in branch.tables(branch.revisions()[-1])}
    assert made == set(row_counts(path)) - versions - virtual(path)
    assert CORE.tables("0001") == {"jobs", "boot_outcomes"}


@pytest.mark.parametrize("revision", RELEASED)
def test_every_released_schema_becomes_today_s_and_keeps_its_rows(path, settings, tmp_path, revision):
    release(path, revision)
    before, left = row_counts(path), {name: made for name, made in schema_of(path).items() if not known(name)}
    assert set(before.values()) == {1}
    assert upgrade(db, branches())
    assert pending(db, branches()) == []
    after = row_counts(path)
    assert {name: after[name] for name in before} == before
    (tmp_path / "fresh").mkdir()
    new_database(tmp_path / "fresh")
    assert schema_of(path) == schema_of(tmp_path / "fresh/app.db") | left
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_sql_can_be_read_before_and_does_what_the_upgrade_does(path, settings, tmp_path, capsys):
    release(path, "0002")
    before = path.read_bytes()
    with (tmp_path / "upgrade.sql").open("w") as file:
        print_sql(db, branches(), file)
    db.close()
    assert path.read_bytes()[100:] == before[100:]  # the header says WAL now
    script = (tmp_path / "upgrade.sql").read_text()
    assert re.match(r"-- core: 0002 -> \d{4}\nBEGIN;", script)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    db.open(settings)
    assert pending(db, branches()) == []


def test_a_migration_that_fails_leaves_nothing_of_itself(path, settings, tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    steps = {
        "0001": "op.create_table('first', sa.Column('n', sa.Integer))",
        "0002": "op.create_table('second', sa.Column('n', sa.Integer)); op.execute('SELECT * FROM nowhere')",
    }
    for revision, work in steps.items():
        down = None if revision == "0001" else "0001"
        head = f"from alembic import op\nimport sqlalchemy as sa\nrevision = {revision!r}\ndown_revision = {down!r}\n"
        (folder / f"{revision}_step.py").write_text(f"{head}\n\ndef upgrade():\n    {work}\n")
    with pytest.raises(SQLAlchemyError, match="nowhere"):
        upgrade(db, [CORE, Branch("half", folder)])
    assert pending(db, [CORE, Branch("half", folder)]) == ["half: 0001 -> 0002"]
    tables = row_counts(path)
    assert "first" in tables
    assert "second" not in tables


def test_a_backup_is_made_before_migrations_and_holds_the_old_schema(path, settings):
    release(path, "0003")
    boot.migrate(settings, db)
    assert pending(db, branches()) == []
    (made,) = backup.listing(settings)
    proof = backup.verify(made.name, settings, [].append)
    assert any(line.startswith("core: 0003 -> ") for line in proof.migrated)
    boot.migrate(settings, db)  # nothing is pending
    assert len(backup.listing(settings)) == 1


def test_a_migration_that_fails_at_every_start_fills_no_disk(path, settings, monkeypatch):
    release(path, "0003")
    monkeypatch.setattr("chassis.boot.migrations.upgrade", lambda *_: pytest.fail("not yet"))
    for _ in range(3):
        name = backup.before_migrations(settings, db, branches(), [].append)
        db.close()
        db.open(settings)
    assert [made.name for made in backup.listing(settings)][:1] == [name]
    assert len(backup.listing(settings)) <= 2  # the first may be of the second in which the database was made


@pytest.mark.parametrize("how", ["an empty place", "switched off", "up to date", "a snapshot that nobody served"])
def test_no_backup_is_made_of(path, settings, how):
    if how == "switched off":
        settings = settings.model_copy(update={"migrate_backup": False})
    if how == "up to date":
        upgrade(db, branches())
    elif how != "an empty place":
        release(path, "0003")
    if how == "a snapshot that nobody served":
        record = "CREATE TABLE snapshot_installed AS SELECT 'ab' AS sha256, '2100-01-01T00:00:00+00:00' AS installed_at"
        db.write(lambda conn: conn.execute(text(record)))
    assert backup.before_migrations(settings, db, branches(), [].append) is None
    assert backup.listing(settings) == []


def test_a_backup_that_fails_stops_the_migration_and_says_how_to_go_on(path, settings, tmp_path):
    release(path, "0003")
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(backup.BackupError, match="MIGRATE_BACKUP=false"):
        boot.migrate(settings, db)
    assert pending(db, branches())


def test_a_key_s_budget_of_before_becomes_a_budget_in_micro_units(path, settings):
    release(path, "0003")
    columns = "id, hash, name, owner, scopes, per_second, monthly_budget, created_at, use_count"
    with closing(sqlite3.connect(path)) as connection:
        for number, budget in enumerate((0, 12.5, 1e12)):
            values = (f"k{number}", f"h{number}", "n", "", "[]", 0, budget, 0, 0)
            connection.execute(f"INSERT INTO api_keys ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        connection.commit()
    upgrade(db, branches())
    found = db.read(lambda conn: conn.execute(text("SELECT subject, monthly FROM budgets ORDER BY subject")).all())
    assert dict(map(tuple, found)) == {"key:k1": 12_500_000, "key:k2": 10**15, "key:x": 1_500_000}

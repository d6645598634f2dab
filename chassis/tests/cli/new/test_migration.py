"""`flask new migration`: the statements of a difference, the file, and what happens to the rows when it is applied."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

from chassis import features
from chassis.boot import branches
from chassis.boot.migrations import load_tables
from chassis.cli.new import comparing, migration, statements
from chassis.db import Database, metadata, schema
from chassis.db.schema import CORE, Branch
from chassis.errors import BadRequest, BootError
from chassis.settings import Settings

FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "albums",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("title", sa.Text),
        sa.Column("old", sa.Integer),
    )
    op.create_index("albums_by_old", "albums", ["old"])
    op.create_table(
        "photos",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("album_id", sa.String(32), sa.ForeignKey("albums.id", ondelete="CASCADE"), nullable=False),
    )
"""


def tables_of(branch):
    """Return the names of the tables that the code declares for a branch."""
    load_tables()
    if branch == CORE:
        owned = {name for other in branches() if other != CORE for name in other.tables("9999")}
        return {*metadata.tables} - owned
    return branch.tables("9999") & {*metadata.tables}


@pytest.mark.parametrize("branch", branches(), ids=lambda branch: branch.name)
def test_the_migrations_that_are_there_make_the_tables_that_are_declared(branch):
    assert statements.statements(comparing.changes(branch, tables_of(branch))) == []


@pytest.fixture
def albums(tmp_path, monkeypatch):
    """A feature with a migration of two tables, and a MetaData for what the test declares."""
    folder = tmp_path / "features/albums"
    (folder / "migrations").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "migrations/0001_albums.py").write_text(FIRST)
    declared = MetaData()
    for module in (comparing, statements):
        monkeypatch.setattr(module, "metadata", declared)
    monkeypatch.setattr(features, "OWN", tmp_path / "features")
    monkeypatch.setattr(migration, "tables", lambda name: {*declared.tables})
    return declared, folder / "migrations"


def photos(declared, *more):
    album = Column("album_id", String(32), ForeignKey("albums.id", ondelete="CASCADE"), nullable=False)
    Table("photos", declared, Column("id", String(32), primary_key=True), album, *more)


def table(declared, *more, title=Text, **options):
    named = Column("title", title, **options)
    Table("albums", declared, Column("id", String(32), primary_key=True), named, *more)


def applied(folder, path):
    """Migrate a database with two albums, one of them with a photo, and return it as sqlite3 sees it."""
    database, branch = Database(), Branch("albums", folder)
    database.open(Settings(app_env="test", database_url=f"sqlite:///{path}"))
    files = sorted(folder.glob("*.py"))
    try:
        for file in files[1:]:
            file.rename(file.with_suffix(".later"))
        schema.upgrade(database, [CORE, branch])
        with closing(connect(path)) as found, found:
            found.execute("INSERT INTO albums VALUES ('a', 'one', 1), ('b', 'two', 2)")
            found.execute("INSERT INTO photos (id, album_id) VALUES ('p', 'a')")
        for file in files[1:]:
            file.with_suffix(".later").rename(file)
        schema.upgrade(database, [CORE, branch])
    finally:
        database.close()
    return closing(connect(path))


def test_equal_tables_need_no_migration(albums):
    declared, folder = albums
    table(declared, Column("old", Integer), Index("albums_by_old", "old"))
    photos(declared)
    assert migration.write("albums", "nothing") is None
    assert len(list(folder.glob("*.py"))) == 1


def test_each_kind_of_change_is_written_in_the_house_form_and_keeps_the_rows(albums, tmp_path):
    declared, folder = albums
    more = (
        Column("size", Float, nullable=False, server_default="0"),
        Column("extra", JSON),
        Index("albums_by_size", "size", "title", unique=True),
    )
    table(declared, *more, title=String(80), nullable=False)
    photos(declared, Column("cover_of", String(32), ForeignKey("albums.id")))
    Table("tags", declared, Column("name", Text, primary_key=True), Column("photo_id", ForeignKey("photos.id")))
    path = migration.write("albums", "albums have a size.")
    assert path == folder / "0002_albums_have_a_size.py"
    text = path.read_text()
    assert text.startswith(
        '"""Albums have a size."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "0002"\n'
    )
    for line in (
        'op.add_column("albums", sa.Column("size", sa.Float, nullable=False, server_default="0"))',
        'op.add_column("albums", sa.Column("extra", sa.JSON))',
        'op.create_index("albums_by_size", "albums", ["size", "title"], unique=True)',
        'op.drop_index("albums_by_old", "albums")',
        'batch.alter_column("title", type_=sa.String(80), nullable=False)',
        'batch.create_foreign_key("photos_cover_of_fkey", "albums", ["cover_of"], ["id"])',
        'sa.Column("photo_id", sa.String(32), sa.ForeignKey("photos.id")),',
    ):
        assert line in text
    ruff = Path(sys.executable).parent / "ruff"
    options = ["--no-cache", "--line-length", "120"]
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run([ruff, *command, *options, path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    with applied(folder, tmp_path / "app.db") as found:
        assert found.execute("SELECT id, title, size FROM albums ORDER BY id").fetchall() == [
            ("a", "one", 0),
            ("b", "two", 0),
        ]
        assert found.execute("SELECT id, album_id, cover_of FROM photos").fetchall() == [("p", "a", None)]
    assert migration.write("albums", "again") is None


def test_a_table_and_a_reference_are_dropped(albums, tmp_path):
    declared, folder = albums
    table(declared, Column("old", Integer), Index("albums_by_old", "old"))
    Table("photos", declared, Column("id", String(32), primary_key=True))
    text = migration.write("albums", "photos stand alone").read_text()
    assert 'with op.batch_alter_table("photos") as batch:\n        batch.drop_column("album_id")\n' in text
    with applied(folder, tmp_path / "app.db") as found:
        assert found.execute("SELECT * FROM photos").fetchall() == [("p",)]
    declared.remove(declared.tables["photos"])
    assert 'op.drop_table("photos")' in migration.write("albums", "no photos").read_text()
    assert migration.write("albums", "again") is None


def test_rows_that_refer_to_nothing_stop_a_migration_that_makes_a_table_anew(albums, tmp_path):
    declared, folder = albums
    table(declared, Column("old", Integer), Index("albums_by_old", "old"), title=String(80))
    photos(declared)
    path = migration.write("albums", "shorter titles")
    path.write_text(path.read_text() + '    op.execute("DELETE FROM albums")\n')
    with (
        pytest.raises(ValueError, match="a row of photos refers to one of albums"),
        applied(folder, tmp_path / "app.db"),
    ):
        pass
    with closing(connect(tmp_path / "app.db")) as found:
        assert found.execute("SELECT count(*) FROM albums").fetchone() == (2,)


def test_the_sql_of_such_a_migration_cannot_be_printed(albums, tmp_path):
    declared, folder = albums
    table(declared, Column("old", Integer), Index("albums_by_old", "old"), title=String(80))
    photos(declared)
    migration.write("albums", "shorter titles")
    database = Database()
    database.open(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/app.db"))
    try:
        with (tmp_path / "sql").open("w") as out, pytest.raises(BootError, match="cannot be printed"):
            schema.print_sql(database, [Branch("albums", folder)], out)
    finally:
        database.close()


REFUSED = {
    "needs a value": (lambda: [Column("size", Float, nullable=False)], "give it a server_default, or nullable=True"),
    "unique": (lambda: [Column("size", Float, unique=True)], "A UNIQUE of albums changed and has no name"),
    "primary key": (lambda: [Column("size", Float, primary_key=True)], "The primary key of albums changed"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_written_is_refused_with_the_reason(albums, what):
    declared, folder = albums
    made, words = REFUSED[what]
    table(declared, Column("old", Integer), Index("albums_by_old", "old"), *made())
    photos(declared)
    with pytest.raises(BadRequest, match=words):
        migration.write("albums", "more")
    assert len(list(folder.glob("*.py"))) == 1

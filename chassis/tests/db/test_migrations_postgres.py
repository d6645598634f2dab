"""Migrations on a real PostgreSQL, from every revision that was released, with a row in each table."""

import pytest
from alembic import command
from sqlalchemy import JSON, MetaData, inspect

from chassis.boot import branches
from chassis.db import db, schema
from chassis.db.schema import CORE, pending, upgrade
from chassis.settings import Settings
from chassis.tests.services import psql

pytestmark = pytest.mark.long


@pytest.fixture
def opened(postgres_server):
    """Return a function that opens an empty database of that name."""
    yield lambda url: db.open(Settings(app_env="test", database_url=url))
    db.close()


def to(core, others):
    """Bring the core to a revision, and the features to their first (0) or newest (-1)."""
    for branch in branches():
        wanted = core if branch.name == "core" else branch.revisions()[others]
        command.upgrade(schema._config(db, branch), wanted)


def fill():
    """Insert a row into each table, whose texts are all `x`, so that references between them hold; return counts."""
    found = MetaData()

    def write(conn):
        found.reflect(conn)
        for table in found.sorted_tables:
            if conn.execute(table.select()).first() is None:
                conn.execute(table.insert().values({column.name: value_of(column) for column in table.columns}))

    db.write(write)
    return counts(found)


def value_of(column):
    if isinstance(column.type, JSON):
        return {}
    return {str: "x", int: 1, float: 1.5, bool: False}[column.type.python_type]


def counts(found):
    return db.read(lambda conn: {t.name: len(conn.execute(t.select()).all()) for t in found.sorted_tables})


def shape():
    """Return {table: its columns, indexes and references}."""

    def of(look, name):
        columns = {(one["name"], str(one["type"]), one["nullable"]) for one in look.get_columns(name)}
        indexes = {(one["name"], tuple(one["column_names"]), one["unique"]) for one in look.get_indexes(name)}
        keys = {(tuple(one["constrained_columns"]), one["referred_table"]) for one in look.get_foreign_keys(name)}
        return columns, indexes, keys

    def read(conn):
        look = inspect(conn)
        return {name: of(look, name) for name in look.get_table_names()}

    return db.read(read)


@pytest.mark.parametrize(("core", "others"), [("0001", 0), *((revision, -1) for revision in CORE.revisions())])
def test_every_released_revision_becomes_today_s_and_keeps_its_rows(opened, postgres_url, today, core, others):
    opened(postgres_url)
    to(core, others)
    before = fill()
    assert min(before.values()) >= 1
    upgrade(db, branches())
    assert pending(db, branches()) == []
    found = MetaData()
    db.read(found.reflect)
    assert {name: number for name, number in counts(found).items() if name in before} == before
    assert shape() == today


@pytest.fixture(scope="module")
def today(postgres_server):
    """What the newest code makes of nothing."""
    psql(f"{postgres_server}/postgres", "CREATE DATABASE today")
    db.open(Settings(app_env="test", database_url=f"{postgres_server}/today"))
    upgrade(db, branches())
    found = shape()
    db.close()
    return found

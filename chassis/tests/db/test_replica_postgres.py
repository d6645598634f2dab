"""Reads that may lag go to DATABASE_READ_URL, unless it refuses; and a pooler in transaction mode."""

import subprocess

import pytest
from sqlalchemy import text

from app import create_app
from chassis.boot import boot
from chassis.db import db
from chassis.errors import SettingsError
from chassis.observability.metrics import REPLICA_REFUSALS
from chassis.settings import Settings
from chassis.settings.loading import load_settings
from chassis.tests import postgres
from chassis.tests.patience import wait_until
from chassis.tests.services import psql

NAME = "SELECT current_database()"


@pytest.fixture
def closed():
    yield
    db.close()


def asked(**options):
    return db.read(lambda conn: conn.execute(text(NAME)).scalar(), **options)


def test_only_reads_that_may_lag_are_asked_of_the_replica(postgres_url, postgres_server, closed):
    one = postgres_url.rpartition("/")[2]
    db.open(Settings(app_env="test", database_url=postgres_url, database_read_url=f"{postgres_server}/postgres"))
    assert asked() == one
    assert asked(may_lag=True) == asked(may_lag=True, unbounded=True) == "postgres"
    assert db.write(lambda conn: conn.execute(text(NAME)).scalar()) == one


def test_a_replica_that_refuses_is_left_alone_for_a_while(postgres_url, closed):
    one, before = postgres_url.rpartition("/")[2], REPLICA_REFUSALS._value.get()
    db.open(Settings(app_env="test", database_url=postgres_url, database_read_url="postgresql://127.0.0.1:1/d"))
    db.warm()
    assert [asked(may_lag=True) for _ in range(3)] == [one] * 3
    assert REPLICA_REFUSALS._value.get() == before + 1


def test_a_table_that_the_replica_does_not_have_yet_is_read_where_it_is(postgres_url, postgres_server, closed):
    db.open(Settings(app_env="test", database_url=postgres_url, database_read_url=f"{postgres_server}/postgres"))
    db.write(lambda conn: conn.execute(text("CREATE TABLE young (n INTEGER)")))
    assert db.read(lambda conn: conn.execute(text("SELECT n FROM young")).all(), may_lag=True) == []
    assert asked(may_lag=True) == "postgres", "that was no reason to leave it"


@pytest.mark.parametrize(
    ("url", "replica"),
    [("sqlite:///a.db", "postgresql://h/d"), ("postgresql://h/d", "sqlite:///a.db"), ("postgresql://h/d", "x")],
)
def test_a_replica_is_for_postgresql(url, replica, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_READ_URL", replica)
    with pytest.raises(SettingsError, match="DATABASE_READ_URL is for PostgreSQL only"):
        load_settings()


@pytest.fixture
def pooler_url(tool, postgres_server, postgres_url):
    """The URL of the same database through a pgbouncer in transaction mode."""
    with postgres.pooled(tool("pgbouncer"), postgres_server) as port:
        url = f"postgresql+psycopg://app@127.0.0.1:{port}/{postgres_url.rpartition('/')[2]}"
        wait_until(lambda: answers(url))
        yield url


def test_a_pooler_in_transaction_mode_starts_and_serves_again_and_again(pooler_url, postgres_url, closed):
    settings = Settings(app_env="test", database_url=pooler_url, database_prepared_statements=False)
    for _ in range(2):  # the lock of the first start is not kept by the pooler
        boot(settings)
    client = create_app(settings).test_client()
    for _ in range(20):  # more often than psycopg's threshold for prepared statements
        assert client.get("/api/jobs").status_code == 200
        db.write(lambda conn: conn.execute(text("SELECT 1")))
    assert psql(postgres_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"


def answers(url):
    try:
        return psql(url, "SELECT 1")
    except subprocess.CalledProcessError:
        return None

"""Connections to a real PostgreSQL: bounded, counted, replaced when they are dead, and 503 when none is free."""

import os
import socket
import threading

import psycopg
import pytest
from sqlalchemy import text

from app import create_app
from chassis.base.service import current as service
from chassis.boot import check_database
from chassis.db import db, pool
from chassis.db.pool import Need
from chassis.db.postgres import RESERVED
from chassis.errors import BootError
from chassis.observability.metrics import CONNECTION_TIMEOUTS, CONNECTIONS_IN_USE
from chassis.settings import Settings
from chassis.tests.services import psql

PID = "SELECT pg_backend_pid()"
NAME = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
OPTIONS = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")


@pytest.fixture
def opened(postgres_url):
    """Return a function that opens an empty database with the given settings."""

    def open(**settings):
        made = Settings(app_env="test", database_url=postgres_url, **settings)
        db.open(made)
        return made

    yield open
    db.close()


def scalar(statement):
    return db.read(lambda conn: conn.execute(text(statement)).scalar())


def test_a_request_that_finds_no_free_connection_is_answered_503_and_counted(opened):
    made = opened(database_pool_size=1, database_max_overflow=0, database_pool_timeout_seconds=0.05)
    app = create_app(made)
    app.add_url_rule("/api/one", "one", lambda: str(scalar("SELECT 1")))
    before, used = CONNECTION_TIMEOUTS._value.get(), CONNECTIONS_IN_USE._value.get()
    taken, end = threading.Event(), threading.Event()

    def hold(conn):
        taken.set()
        end.wait()

    holder = threading.Thread(target=db.write, args=(hold,))
    holder.start()
    taken.wait()
    assert CONNECTIONS_IN_USE._value.get() == used + 1
    answer = app.test_client().get("/api/one")
    with db.reserved():
        assert scalar("SELECT 1") == 1  # heartbeats go on
        assert db.write(lambda conn: conn.execute(text("SELECT 2")).scalar()) == 2
    end.set()
    holder.join()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["error"]["code"] == "database_unavailable"
    assert "all of its connections are in use" in answer.json["error"]["message"]
    assert CONNECTION_TIMEOUTS._value.get() == before + 1
    assert app.test_client().get("/api/one").text == "1"


def test_a_connection_that_the_server_has_ended_is_replaced_before_it_is_used(opened, postgres_url):
    opened()
    pid = scalar(PID)
    psql(postgres_url, f"SELECT pg_terminate_backend({pid}, 10000)")
    assert scalar(PID) != pid


def test_a_connection_has_our_name_and_notices_a_dead_peer_in_time(opened, postgres_url):
    opened()
    assert scalar(NAME) == service().slug
    with db.writer.connect() as connection:
        own = socket.socket(fileno=os.dup(connection.connection.dbapi_connection.fileno()))
    with own:
        found = {name: own.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in OPTIONS}
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert found == {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20_000}
    db.open(Settings(app_env="test", database_url=f"{postgres_url}?application_name=mine"))
    assert scalar(NAME) == "mine"


def test_a_read_has_no_transaction_and_a_write_has_one(opened):
    opened()
    state = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL OR now() <> statement_timestamp()"
    twice = lambda conn: [conn.execute(text(state)).scalar() for _ in range(3)][-1]  # noqa: E731
    assert db.read(twice) is False
    assert db.write(twice) is True
    with pytest.raises(psycopg.errors.Error), db.writer.connect() as connection:
        connection.connection.dbapi_connection.execute("VACUUM")  # it is in a transaction again


@pytest.mark.parametrize(
    ("workers", "allowed", "refused", "warned"),
    [(1, 97, False, False), (3, 97, False, False), (4, 97, False, True), (4, 12, False, True), (4, 11, True, True)],
)
def test_too_few_connections_are_told_and_only_the_impossible_is_refused(workers, allowed, refused, warned):
    found = Need(workers, each=30 + RESERVED, allowed=allowed)
    assert (found.refusal() is not None, found.warning() is not None) == (refused, warned)


def test_the_start_reads_the_limits_of_the_server_the_user_and_the_database(opened, postgres_url):
    made = opened()
    name = postgres_url.rpartition("/")[2]
    assert db.read(lambda conn: pool.need(conn, made)).allowed == 97
    assert db.read(lambda conn: pool.check(conn, made)) is None
    psql(postgres_url, f"ALTER DATABASE {name} CONNECTION LIMIT 20")
    assert "may open 32 connections (32 each), and PostgreSQL allows 20" in db.read(lambda conn: pool.check(conn, made))
    psql(postgres_url, f"ALTER DATABASE {name} CONNECTION LIMIT 2")
    with pytest.raises(BootError, match=r"allows 2 connections, and 1 workers need 3"):
        check_database(made, db)

"""One place says which errors of a database may pass, and how they are told."""

import pytest
from psycopg import OperationalError as DriverError
from psycopg import errors as psycopg_errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.db import Database
from chassis.db.faults import Fault, ends_connections, fault_of, reason_of
from chassis.settings import Settings

BY_STATE = {
    "08006": Fault.AWAY,
    "25006": Fault.READ_ONLY,
    "26000": Fault.AWAY,
    "40P01": Fault.BUSY,
    "40001": Fault.BUSY,
    "42P05": Fault.AWAY,
    "53100": Fault.DISK_FULL,
    "53300": Fault.CROWDED,
    "55P03": Fault.BUSY,
    "57014": Fault.BUSY,
    "57P01": Fault.AWAY,
    "57P03": Fault.AWAY,
    "58030": Fault.DISK_ERROR,
    "22001": None,
    "23505": None,
    "42601": None,
    "54000": None,
    "XX001": None,
}
BY_WORDS = {
    'connection to server failed: FATAL: sorry, too many clients already\nDETAIL: "secret"': Fault.CROWDED,
    "FATAL: remaining connection slots are reserved": Fault.CROWDED,
    "connection refused": Fault.AWAY,
    "could not extend file: No space left on device": Fault.DISK_FULL,
}


def wrapped(kind, driver_error):
    return kind("SELECT secret", {"name": "secret"}, driver_error)


@pytest.mark.parametrize("state", BY_STATE)
def test_a_code_of_postgresql_tells(state):
    error = wrapped(DBAPIError, psycopg_errors.lookup(state)("said"))
    assert fault_of(error) == BY_STATE[state]


@pytest.mark.parametrize("words", BY_WORDS)
def test_a_refused_connection_has_no_code_and_its_words_tell(words):
    error = wrapped(OperationalError, DriverError(words))
    assert fault_of(error) == BY_WORDS[words]
    assert "secret" not in reason_of(error)


def test_what_the_pool_and_a_broken_connection_raise_may_pass():
    assert fault_of(PoolTimeout("QueuePool limit")) is Fault.CROWDED
    assert fault_of(PendingRollbackError("Can't reconnect", code="8s2b")) is Fault.AWAY
    assert fault_of(PendingRollbackError("a savepoint", code="8s2a")) is None
    broken = wrapped(InternalError, psycopg_errors.InternalError_("said"))
    assert fault_of(broken) is None
    broken.connection_invalidated = True
    assert fault_of(broken) is Fault.AWAY
    assert fault_of(ValueError("full")) is None


def test_after_a_failover_or_a_migration_new_connections_are_asked():
    assert ends_connections(psycopg_errors.ReadOnlySqlTransaction("said"))
    assert ends_connections(psycopg_errors.DuplicatePreparedStatement("said"))
    plan = psycopg_errors.FeatureNotSupported("cached plan must not change result type")
    assert ends_connections(plan)
    assert fault_of(wrapped(DBAPIError, plan)) is Fault.AWAY
    assert not ends_connections(psycopg_errors.FeatureNotSupported("said"))


@pytest.fixture
def database(tmp_path):
    one = Database()
    one.open(Settings(app_env="test", database_url=f"sqlite:///{tmp_path}/a.db"))
    yield one
    one.close()


def test_the_text_of_an_error_has_neither_the_statement_nor_its_values(database):
    database.write(lambda conn: conn.execute(text("CREATE TABLE t (n INTEGER UNIQUE)")))
    twice = text("INSERT INTO t VALUES (:n), (:n)")
    with pytest.raises(IntegrityError) as raised:
        database.write(lambda conn: conn.execute(twice, {"n": 1234}))
    assert "UNIQUE" in str(raised.value)
    assert "INSERT" not in str(raised.value)
    assert "1234" not in str(raised.value)

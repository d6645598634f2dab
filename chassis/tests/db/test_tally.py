"""Numbers that processes tell one another, and rows that are deleted by age."""

import pytest
from sqlalchemy import create_engine, func, select

from chassis.db import Database, Tally, older, tally
from chassis.db.tables import app_state, boot_outcomes, metadata
from chassis.settings import Settings
from chassis.tests.conftest import new_database


@pytest.fixture
def database(tmp_path):
    made = Database()
    made.open(Settings(app_env="test", database_url=new_database(tmp_path)))
    yield made
    made.close()


def rows(database):
    return database.read(lambda conn: conn.execute(select(func.count()).select_from(app_state)).scalar())


def test_each_process_learns_the_sums_of_the_others(database):
    one, two, three, other = Tally("calls"), Tally("calls"), Tally("calls"), Tally("calls_of_others")
    assert one.exchange(database, {"a": 1, "b": 2}) == {}
    assert two.exchange(database, {"a": 3, "b": 0}) == {"a": 1, "b": 2}
    other.exchange(database, {"a": 100})
    assert three.exchange(database, {}) == {"a": 4, "b": 2}
    assert one.exchange(database, {"a": 5}) == {"a": 3}
    assert two.exchange(database, {"a": 3}) == {"a": 5}


def test_what_is_zero_is_not_stored(database):
    before, one = rows(database), Tally("calls")
    one.exchange(database, {"a": 0})
    assert rows(database) == before
    one.exchange(database, {"a": 1})
    assert rows(database) == before + 1
    one.exchange(database, {})
    assert rows(database) == before


def test_processes_that_have_ended_do_not_count(database, monkeypatch):
    before = rows(database)
    Tally("calls").exchange(database, {"a": 1})
    monkeypatch.setattr(tally, "LOST_SECONDS", -1.0)
    assert Tally("calls").exchange(database, {"b": 1}) == {}
    monkeypatch.undo()
    assert rows(database) == before + 1


def test_a_long_name_is_refused():
    with pytest.raises(ValueError, match="at most"):
        Tally("x" * 33)


def test_the_oldest_rows_are_deleted_first_and_a_few_at_a_time():
    delete_older = older(boot_outcomes.c.finished_at)
    with create_engine("sqlite://").begin() as conn:
        metadata.create_all(conn, [boot_outcomes])
        for at in (3, 1, 4, 2):
            conn.execute(boot_outcomes.insert().values(step=str(at), outcome="", duration_seconds=0, finished_at=at))
        assert [delete_older(conn, 4, 2), delete_older(conn, 4, 2)] == [2, 1]
        assert conn.execute(select(boot_outcomes.c.step)).scalars().all() == ["4"]

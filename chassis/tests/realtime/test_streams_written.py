"""The text of a stream is stored while it comes, and how it ended: also by a stop, a fault, and a killed process."""

import pytest
from sqlalchemy import Column, Float, MetaData, String, Table, Text, select
from sqlalchemy.exc import OperationalError

from chassis.db import Database
from chassis.errors import Unavailable
from chassis.realtime import End, Writing, Written
from chassis.realtime.streams import written as module
from chassis.settings import Settings

KEY = "one"
TABLE = Table(
    "texts",
    MetaData(),
    Column("id", String(32), primary_key=True),
    Column("text", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("error", Text),
    Column("until", Float, nullable=False),
)


@pytest.fixture
def database(tmp_path):
    database = Database()
    database.open(Settings(database_url=f"sqlite:///{tmp_path}/app.db"))
    database.write(TABLE.create)
    database.write(lambda conn: conn.execute(TABLE.insert(), {"id": KEY, **Written.begun().as_dict()}))
    yield database
    database.close()


@pytest.fixture
def writing(database):
    """Return a function that makes the writing of a source."""
    return lambda source: Writing(source, lambda made: database.write(lambda conn: made.store(conn, TABLE, KEY)))


def row(database):
    return database.read(lambda conn: conn.execute(select(TABLE)).mappings().one())


def shown(database):
    return Written.shown(row(database))


def parts(*texts, fault=None):
    def source(stopped):
        yield from texts
        if fault:
            raise fault

    return source


def test_a_text_that_came_to_its_end_is_done(database, writing):
    assert Written.runs(row(database))
    assert list(writing(parts("a", "b"))(lambda: False)) == ["a", "b"]
    assert shown(database) == {"text": "ab", "status": "done", "error": None}
    assert not Written.runs(row(database))


@pytest.mark.parametrize(("texts", "status"), [(["a"], "cut"), ([""], "failed"), ([], "failed")])
def test_a_fault_is_told_and_what_came_is_kept(database, writing, texts, status):
    with pytest.raises(Unavailable):
        list(writing(parts(*texts, fault=Unavailable("The model is away.")))(lambda: False))
    assert shown(database) == {"text": "".join(texts), "status": status, "error": "The model is away."}


def test_a_fault_of_our_own_is_not_told_in_detail(database, writing):
    with pytest.raises(LookupError):
        list(writing(parts("a", fault=LookupError("secret")))(lambda: False))
    assert shown(database)["error"] == "Something went wrong on our side; it has been logged."


def test_a_stop_keeps_what_came(database, writing):
    stopped = []
    source = writing(parts("a", "b"))(lambda: bool(stopped))
    assert next(source) == "a"
    stopped.append(True)
    assert list(source) == []
    assert shown(database) == {"text": "a", "status": "stopped", "error": None}


@pytest.mark.parametrize(
    ("end", "texts", "status"),
    [
        (End("stopped", "unwatched", "Nobody watches."), ["a", "b"], "stopped"),
        (End("failed", "restarting", "It restarts."), ["a", "b"], "cut"),
        (End("failed", "restarting", "It restarts."), ["", "b"], "failed"),
    ],
)
def test_a_stop_says_why(database, writing, end, texts, status):
    one, stopped = writing(parts(*texts)), []
    source = one(lambda: bool(stopped))
    next(source)
    one.stopping(end)
    stopped.append(True)
    assert list(source) == []
    assert shown(database) == {"text": texts[0], "status": status, "error": end.message}


def test_an_error_that_a_stop_caused_is_no_fault(database, writing):
    assert list(writing(parts(fault=ConnectionError()))(lambda: True)) == []
    assert shown(database)["status"] == "stopped"


def test_a_source_that_is_closed_was_stopped(database, writing):
    source = writing(parts("a", "b"))(lambda: False)
    next(source)
    source.close()
    assert shown(database) == {"text": "a", "status": "stopped", "error": None}


def test_the_text_is_stored_while_it_comes_and_its_lease_renewed(database, writing, monkeypatch):
    monkeypatch.setattr(module, "STORE_SECONDS", 0)
    before = row(database)["until"]
    source = writing(parts("a", "b", "c"))(lambda: False)
    assert [next(source), next(source), next(source)] == ["a", "b", "c"]
    assert (shown(database)["text"], shown(database)["status"]) == ("ab", "streaming")
    assert row(database)["until"] >= before


def test_a_text_that_is_no_longer_wanted_ends(database, writing, monkeypatch):
    monkeypatch.setattr(module, "STORE_SECONDS", 0)
    source = writing(parts("a", "b", "c"))(lambda: False)
    next(source)
    database.write(lambda conn: conn.execute(TABLE.delete()))
    assert list(source) == []
    assert database.read(lambda conn: conn.execute(select(TABLE)).all()) == []


def test_a_database_that_is_away_in_the_middle_is_waited_for(database, monkeypatch):
    monkeypatch.setattr(module, "STORE_SECONDS", 0)
    away = [True, True]

    def store(made):
        if away:
            away.pop()
            raise OperationalError("UPDATE", {}, Exception("away"))
        return database.write(lambda conn: made.store(conn, TABLE, KEY))

    assert list(Writing(parts("a", "b", "c"), store)(lambda: False)) == ["a", "b", "c"]
    assert shown(database)["status"] == "done"


def test_a_text_whose_process_died_is_interrupted(database):
    died = Written("half", until=0.0)
    assert database.write(lambda conn: died.store(conn, TABLE, KEY))
    assert shown(database) == {"text": "half", "status": "interrupted", "error": module.LOST}
    assert not Written.runs(row(database))


@pytest.mark.parametrize(
    ("end", "status"), [(End("failed", "too_many_streams", "Too many."), "failed"), (End("stopped"), "stopped")]
)
def test_what_was_never_begun_is_told(database, writing, end, status):
    writing(parts("a")).unread(end)
    assert shown(database) == {"text": "", "status": status, "error": end.message or None}


def test_an_end_is_stored_once(database):
    assert database.write(lambda conn: Written("a", "done").store(conn, TABLE, KEY))
    assert not database.write(lambda conn: Written("b", "stopped").store(conn, TABLE, KEY))
    assert shown(database)["text"] == "a"

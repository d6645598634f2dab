"""Columns whose texts are encrypted where they are stored."""

import threading

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, select, type_coerce
from werkzeug.security import gen_salt

from chassis.security import sealing, signing

table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("key", sealing.Sealed("test")))
OLD, NEW = gen_salt(40), gen_salt(40)


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(signing, "_configs", [])
    made = Flask("app")
    made.config["SECRET_KEY"] = OLD
    signing.configure(made.config)
    return made


@pytest.fixture
def conn(app):
    with create_engine("sqlite://", connect_args={"check_same_thread": False}).begin() as made:
        table.create(made)
        yield made


def read(conn):
    return conn.execute(select(table.c.key)).scalars().all()


def stored(conn):
    return conn.execute(select(type_coerce(table.c.key, Text))).scalars().all()


def test_a_text_is_encrypted_where_it_is_stored(conn, app):
    with app.app_context():
        conn.execute(table.insert(), [{"key": "sk-secret"}, {"key": ""}, {"key": None}])
        assert read(conn) == ["sk-secret", "", None]
    assert "sk-secret" not in stored(conn)[0]
    assert stored(conn)[1:] == ["", None]


def test_threads_without_an_application_read_and_write_too(conn):
    failures = []

    def work():
        try:
            conn.execute(table.insert(), [{"key": "sk-secret"}])
            assert read(conn) == ["sk-secret"]
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []


def test_after_a_change_of_the_secret_key_it_is_empty_and_can_be_copied(conn, app):
    with app.app_context():
        conn.execute(table.insert(), [{"key": "sk-secret"}])
        before = stored(conn)
        app.config["SECRET_KEY"] = NEW
        (found,) = read(conn)
        assert (found, isinstance(found, sealing.Unreadable)) == ("", True)
        conn.execute(table.update().values(key=found))
        assert stored(conn) == before
        app.config["SECRET_KEY_FALLBACKS"] = [OLD]
        assert read(conn) == ["sk-secret"]


def test_each_purpose_has_keys_of_its_own(conn, app):
    with app.app_context():
        conn.execute(table.insert(), [{"key": "sk-secret"}])
        other = conn.execute(select(type_coerce(table.c.key, sealing.Sealed("other")))).scalar()
    assert isinstance(other, sealing.Unreadable)

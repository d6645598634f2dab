"""Every event passes the one wrapper."""

import pytest
from flask import Flask, session
from pydantic import BaseModel
from sqlalchemy import create_engine

from chassis.errors import Conflict
from chassis.extensions import SocketIO
from chassis.realtime.dispatch import dispatch
from chassis.settings import Settings
from chassis.wiring import wire


class Order(BaseModel):
    count: int


@pytest.fixture
def client():
    app = Flask("app")
    app.config["SECRET_KEY"] = "tests"
    wire(app, Settings(app_env="test"))
    socketio = SocketIO(app, async_mode="threading")
    socketio.dispatch = dispatch

    @socketio.on("order")
    def order(message: Order):
        return {"ok": True, "count": message.count + 1}

    @socketio.on("plain")
    def plain(*words):
        session["words"] = words
        return list(words)

    @socketio.on("taken")
    def taken():
        raise Conflict("It is taken.")

    @socketio.on("crash")
    def crash(message):
        raise RuntimeError("inside")

    @socketio.on("refused")
    def refused():
        with create_engine("sqlite://").connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("CREATE TABLE t (a)")

    @socketio.on("connect")
    def connect(auth):
        if (auth or {}).get("refused"):
            refused()
        return (auth or {}).get("let_in", True)

    return lambda **options: socketio.test_client(app, **options)


def test_a_declared_message_is_validated(client):
    one = client()
    assert one.emit("order", {"count": "2"}, callback=True) == {"ok": True, "count": 3}
    for wrong in ({}, {"count": "x"}, None, "text"):
        answer = one.emit("order", wrong, callback=True)
        assert (answer["ok"], answer["error"]["code"]) == (False, "invalid_message")


def test_a_database_that_refuses_is_told_with_its_reason(client):
    error = client().emit("refused", callback=True)["error"]
    assert error["code"] == "database_unavailable"
    assert "it is read-only" in error["message"]
    assert not client(auth={"refused": True}).is_connected()


def test_a_plain_handler_is_acknowledged_as_it_is(client):
    assert client().emit("plain", "a", "b", callback=True) == ["a", "b"]


def test_errors_are_acknowledged_and_the_connection_stays(client):
    one = client()
    assert one.emit("taken", callback=True)["error"] == {"code": "conflict", "message": "It is taken."}
    answer = one.emit("crash", 1, callback=True)
    assert answer["error"]["code"] == "internal_error"
    assert "inside" not in str(answer)
    assert one.is_connected()


def test_a_connect_handler_may_refuse(client):
    assert client(auth={"let_in": True}).is_connected()
    assert not client(auth={"let_in": False}).is_connected()

"""Presence when a client leaves, or something fails, between two steps of the work."""

import pytest
from flask import request

from app import create_app
from chassis.db import db
from chassis.extensions import socketio
from chassis.realtime import recovery, store
from chassis.realtime.presence import Presence
from chassis.settings import Settings
from chassis.tests.conftest import new_database

TELLS = "presence:update"


@pytest.fixture
def app(tmp_path):
    """The application on a database of its own, in this process."""
    yield create_app(Settings(app_env="test", database_url=new_database(tmp_path)))
    db.close()


@pytest.fixture
def presence(app):
    """A presence of its own, as in one process."""
    presence = Presence()
    presence.configure(Settings(app_env="test"))
    return presence


@pytest.fixture
def told(monkeypatch):
    """What the rooms were told: the room, who joined, who left."""
    told = []
    deliver = lambda room, _event, data: told.append((room, data["joined"], data["left"]))  # noqa: E731
    monkeypatch.setattr(recovery, "deliver", deliver)
    return told


def connect(member):
    """Register a client as the server does."""
    return socketio.server.manager.connect(begin_to_connect(member), "/")


def begin_to_connect(member):
    return socketio.server.manager.pre_connect(f"session of {member}", "/")


def disconnect(presence, sid):
    """Do what a disconnect does."""
    socketio.server.manager.pre_disconnect(sid, "/")
    presence.gone(sid)
    socketio.server.manager.basic_disconnect(sid, "/")


def enter(app, presence, sid, member):
    with app.test_request_context():
        request.sid, request.namespace = sid, "/"
        presence.enter("tea", member)


def test_a_departure_that_could_not_be_told_is_told_at_the_next_tick(app, presence, told, monkeypatch):
    ann, bob = connect("ann"), connect("bob")
    enter(app, presence, ann, "ann"), enter(app, presence, bob, "bob")
    presence.tick()
    assert told == [("tea", ["ann", "bob"], [])]
    disconnect(presence, bob)
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "deliver", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            presence.tick()
    presence.tick()
    assert told[1:] == [("tea", [], ["bob"])]


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_leaves_while_the_entry_is_stored_is_removed_by_the_next_tick(app, presence, told, monkeypatch, when):
    ann, bob = connect("ann"), connect("bob")
    enter(app, presence, ann, "ann")
    presence.tick()
    stored = store.enter

    def leave_and_store(conn, holder, there):
        if when == "before":
            disconnect(presence, bob)
            presence._gone.clear()  # a tick has stored this already,
            presence._here.pop(bob)  # and forgotten the client
        stored(conn, holder, there)
        if when == "after":
            disconnect(presence, bob)

    with monkeypatch.context() as patch:
        patch.setattr(store, "enter", leave_and_store)
        enter(app, presence, bob, "bob")
    presence.tick()
    assert presence.members("tea") == ["ann"]
    assert list(presence._here) == [ann]


def test_who_enters_after_its_own_disconnect_is_removed_however_busy_the_process_is(app, presence, told):
    ann, bob = connect("ann"), connect("bob")
    presence.tick()
    disconnect(presence, bob)
    enter(app, presence, ann, "ann"), enter(app, presence, bob, "bob")
    presence.tick()
    assert presence.members("tea") == ["ann"]


def test_who_enters_in_a_connect_handler_stays(app, presence, told):
    ann = begin_to_connect("ann")
    enter(app, presence, ann, "ann")
    presence.tick()
    assert presence.members("tea") == ["ann"]


def test_an_entry_that_could_not_be_stored_is_none(app, presence, told, monkeypatch):
    ann = connect("ann")
    with monkeypatch.context() as patch:
        patch.setattr(store, "enter", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            enter(app, presence, ann, "ann")
    presence.tick()
    enter(app, presence, connect("bob"), "bob")
    assert presence.members("tea") == ["bob"]
    assert not presence._here[ann]

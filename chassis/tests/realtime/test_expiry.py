"""What ends by its time takes its sockets with it at the next look, which nothing but that time calls for."""

import time

import pytest
from flask import request
from pydantic import SecretStr

from app import create_app
from chassis.db import clock, db
from chassis.errors import BadRequest
from chassis.extensions import socketio
from chassis.realtime import dispatch, revocation
from chassis.security import identity, keys, maintenance
from chassis.security.keyring import keyring
from chassis.settings import Settings
from chassis.tests.conftest import new_database

SECONDS = 300


@pytest.fixture
def app(tmp_path):
    """The application on a database of its own, in this process."""
    url = SecretStr(new_database(tmp_path))
    yield create_app(Settings(app_env="test", database_url=url, require_client_api_key=True))
    revocation._open.clear()
    db.close()


def key(**options):
    return keys.create(keys.NewKey("short", ("read",), **options))


def open_socket(app, shown, sid):
    """Let a client in as the connect event does."""
    with app.test_request_context(headers={"X-API-Key": shown}):
        request.sid, request.namespace = sid, "/"
        revocation.watch()


def open_sids():
    return [sid for sid, _ in revocation._open]


def at(monkeypatch, seconds):
    """Let a time have just passed, whatever the test has taken."""
    monkeypatch.setattr(time, "time", lambda: seconds + 1)


def test_a_key_that_expires_ends_its_sockets_and_no_others(app, monkeypatch):
    soon, later, never = key(expires_at=time.time() + SECONDS), key(expires_at=time.time() + 600), key()
    lookout = revocation.Lookout(app)
    lookout.tick()
    for sid, shown in (("soon", soon), ("later", later), ("never", never)):
        open_socket(app, shown, sid)
    lookout.tick()
    assert open_sids() == ["soon", "later", "never"]
    keyring.forget()
    at(monkeypatch, revocation._first_end)
    lookout.tick()
    assert open_sids() == ["later", "never"]


def test_a_key_whose_time_was_changed_ends_by_the_new_one(app, monkeypatch):
    shown = key(expires_at=time.time() + 600)
    lookout = revocation.Lookout(app)
    lookout.tick()
    open_socket(app, shown, "one")
    keys.expire(shown.split("_")[1], time.time() + SECONDS)
    lookout.tick()
    assert open_sids() == ["one"]
    at(monkeypatch, time.time() + SECONDS)
    lookout.tick()
    assert open_sids() == []


def test_a_look_asks_for_nobody_whose_time_has_not_come(app, monkeypatch):
    shown = key(expires_at=time.time() + 600)
    lookout, asked = revocation.Lookout(app), []
    lookout.tick()
    open_socket(app, shown, "one")
    still_good = revocation.identity.still_good
    monkeypatch.setattr(revocation.identity, "still_good", lambda who: asked.append(who) or still_good(who))
    for _ in range(10):
        lookout.tick()
    assert not asked


@pytest.mark.parametrize("refused", [False, True])
def test_a_key_that_is_revoked_during_its_connect_handler_ends_at_the_next_look(app, monkeypatch, refused):
    connecting = {"/": {"one"}}
    monkeypatch.setattr(socketio.server.manager, "pending_connect", connecting)
    shown, lookout, during = key(), revocation.Lookout(app), []
    lookout.tick()

    def connect():
        keys.revoke(shown.split("_")[1])
        lookout.tick()
        during.extend(open_sids())
        return not refused

    with app.test_request_context(headers={"X-API-Key": shown}):
        request.sid, request.namespace = "one", "/"
        assert dispatch.dispatch("connect", "/", connect, (None,)) is not refused
    connecting.clear()
    assert during == ["one"], "a client that is let in now is tracked"
    assert open_sids() == ([] if refused else ["one"])
    lookout.tick()
    assert open_sids() == []


def test_a_machine_whose_clock_is_ahead_ends_no_key_early_and_gives_none_more_time(app, monkeypatch):
    real, ahead = time.time, 2 * SECONDS
    soon = key(expires_at=time.time() + SECONDS)
    monkeypatch.setattr(time, "time", lambda: real() + ahead)
    monkeypatch.setattr(clock._Machine, "ahead", ahead)  # as a connection to PostgreSQL tells
    keyring.forget()
    with app.test_request_context(headers={"X-API-Key": soon}):
        assert identity.current().kind == "key"
    with pytest.raises(BadRequest, match="future"):
        key(expires_at=real() - 1)


def test_the_end_of_any_maintenance_is_told_and_nothing_at_the_first_look(app, monkeypatch):
    told = []
    monkeypatch.setattr(socketio, "emit", lambda _event, data, **_options: told.append(data["reason"]))
    lookout = revocation.Lookout(app)
    for reason in ("unknown", "unknown", None, None, "unknown", "", None):
        monkeypatch.setattr(maintenance, "reason", lambda now=reason: now)
        lookout.tick()
    assert told == [None, "unknown", "", None]

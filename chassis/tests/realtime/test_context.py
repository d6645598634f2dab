"""The Flask context of an event on the fast transport."""

from types import SimpleNamespace

import pytest
from flask import Flask, appcontext_popped, current_app, g, has_request_context, request, session
from flask.sessions import SecureCookieSessionInterface
from werkzeug.test import EnvironBuilder

from chassis.security.sessions import Sessions
from chassis.server.patches.context import in_context


class OtherSessions(SecureCookieSessionInterface):
    """Opens a session with what Flask's context says, as extensions do."""

    def open_session(self, app, other_request):
        return self.session_class({"path": request.path})


@pytest.fixture
def app():
    app = Flask("small")
    app.secret_key, app.session_interface = "a key of the tests", Sessions()
    return app


@pytest.fixture
def event(app):
    """Return a function that runs a handler as an event of one connection."""
    environ = EnvironBuilder(path="/socket.io/", headers={"X-Custom": "yes"}).get_environ() | {"flask.app": app}
    server = SimpleNamespace(get_environ=lambda sid, namespace: environ)
    flask_socketio = SimpleNamespace(server=server, exception_handlers={}, default_exception_handler=None)
    run = in_context(flask_socketio, lambda _message, _namespace, handler, args: handler(*args))
    return lambda handler: run(handler, "event", "/", "a-sid", ())


def test_a_handler_has_the_request_of_its_connection_and_none_is_left_behind(event):
    assert event(lambda: (request.sid, request.headers["X-Custom"], current_app.name)) == ("a-sid", "yes", "small")
    assert not has_request_context()
    assert not current_app


def test_none_is_left_behind_by_a_handler_that_raises(event):
    with pytest.raises(ZeroDivisionError):
        event(lambda: 1 / 0)
    assert not has_request_context()


def test_what_is_kept_for_a_connection_holds_no_frames(event):
    error = event(lambda: request.routing_exception)
    assert error.code == 404, "no route has the path of the sockets"
    assert error.__traceback__ is None
    assert error.__context__ is None


def test_g_is_new_for_each_event_and_the_session_lasts(event):
    def count():
        g.count, session["count"] = g.get("count", 0) + 1, session.get("count", 0) + 1
        return g.count, session["count"]

    assert [event(count) for _ in range(3)] == [(1, 1), (1, 2), (1, 3)]


def test_teardown_functions_run_after_each_event_with_its_error(app, event):
    seen = []
    app.teardown_request(lambda error: seen.append(("request", type(error))))
    app.teardown_appcontext(lambda error: seen.append(("app", type(error))))
    event(lambda: None)
    assert seen == [("request", type(None)), ("app", type(None))]
    with pytest.raises(ZeroDivisionError):
        event(lambda: 1 / 0)
    assert seen[2:] == [("request", ZeroDivisionError), ("app", ZeroDivisionError)]


def test_those_who_listen_to_flasks_signals_are_told(app, event):
    told = []
    with appcontext_popped.connected_to(lambda sender: told.append(sender), app):
        event(lambda: None)
    event(lambda: None)
    assert told == [app]


def test_a_session_interface_of_another_kind_finds_the_context_that_it_needs(app, event):
    app.session_interface = OtherSessions()
    assert event(lambda: session["path"]) == "/socket.io/"

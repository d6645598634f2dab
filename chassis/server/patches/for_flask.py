"""Patches of Flask and Flask-SocketIO: the context of an event, and one function that all handlers pass through.

Tested with the versions of Flask and Flask-SocketIO in guard.TESTED.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flask_socketio

from chassis.server.patches import guard

Handler = Callable[..., Any]
Dispatch = Callable[[str, str, Handler, tuple[Any, ...]], Any]
CONTEXT = (
    "flask.globals:_cv_app",
    "flask.globals:_cv_request",
    "flask.ctx:RequestContext.match_request(self)",
    "flask.ctx:RequestContext(app, environ, request, session)",
    "flask.ctx:AppContext(app)",
    "flask_socketio:_ManagedSession",
)
OF_CONTEXT = ("_cv_tokens", "_after_request_functions", "_session", "url_adapter")
ENVIRON = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
HANDLE_EVENT = "flask_socketio:SocketIO._handle_event(self, handler, message, namespace, sid, args)"
SLOWER = "Each event gets Flask-SocketIO's own context, which takes longer."
ONE_WAY = "Handlers are wrapped where they are registered, and each event gets Flask-SocketIO's own context."


def context_of_events(app: Any, socketio: Any, dispatch: Dispatch) -> Callable[..., Any] | None:
    """Return a faster way to give a handler its Flask context, or None if the libraries do not fit."""
    if not (_fits() and guard.fits("flask", SLOWER, *CONTEXT)):
        return None
    if not guard.object_fits("flask", SLOWER, app.request_context(ENVIRON), *OF_CONTEXT):
        return None
    from chassis.server.patches.context import in_context

    return in_context(socketio, dispatch)


class Intercepted(flask_socketio.SocketIO):  # type: ignore[misc]
    """Flask-SocketIO with a function that every handler passes through."""

    dispatch: Dispatch | None = None
    in_context: Callable[..., Any] | None = None  # a faster way to give a handler its Flask context

    def on(self, message: str, namespace: str | None = None) -> Callable[[Handler], Handler]:
        """Register a handler."""
        register: Callable[[Handler], Handler] = super().on(message, namespace)
        return register if _fits() else partial(self._register, register, message, namespace or "/")

    def on_namespace(self, namespace_handler: Any) -> None:
        """Register a class of handlers."""
        if not _fits():
            name = namespace_handler.namespace or "/"
            for method in [method for method in dir(namespace_handler) if method.startswith("on_")]:
                handler = getattr(namespace_handler, method)
                setattr(namespace_handler, method, self._wrapped(handler, method.removeprefix("on_"), name))
        super().on_namespace(namespace_handler)

    def _register(self, register: Callable[[Handler], Handler], message: str, name: str, handler: Handler) -> Handler:
        register(self._wrapped(handler, message, name))
        return handler

    def _wrapped(self, handler: Handler, message: str, namespace: str) -> Handler:
        """Return a handler that passes through `dispatch`; Flask-SocketIO gives it its context."""

        def call(*args: Any) -> Any:
            return handler(*args) if self.dispatch is None else self.dispatch(message, namespace, handler, args)

        return call

    def _handle_event(self, handler: Handler, message: str | None, namespace: str, sid: str, *args: Any) -> Any:
        """Run the handler of an event, or the callback of an acknowledgement (message None)."""
        if self.in_context is not None:
            return self.in_context(handler, message, namespace, sid, args)
        if self.dispatch is not None and message is not None:
            handler = partial(_through, self.dispatch, message, namespace, handler)
        return super()._handle_event(handler, message, namespace, sid, *args)


def _fits() -> bool:
    return guard.fits("flask-socketio", ONE_WAY, HANDLE_EVENT)


def _through(dispatch: Dispatch, message: str, namespace: str, handler: Handler, *args: Any) -> Any:
    return dispatch(message, namespace, handler, args)

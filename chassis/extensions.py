"""The objects that the whole application shares; created here, set up in create_app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import flask_socketio
import socketio as socketio_library
from flask import Flask

from chassis.server.patches.for_flask import Intercepted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Handler = Callable[..., Any]
SOCKET_PATH = "/socket.io/"


class SocketIO(Intercepted):
    """Flask-SocketIO whose handlers all pass through `dispatch`, which `chassis.realtime` sets."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._joinable: set[str] = set()
        self.taken: dict[tuple[str, str], Handler] = {}  # by namespace and event, for the description of the API
        super().__init__(*args, **options)

    def on(self, message: str, namespace: str | None = None) -> Callable[[Handler], Handler]:
        """Register a handler; its namespace gets a connect handler, so that joining it is always checked."""
        name = namespace or "/"
        if name not in self._joinable:
            self._joinable.add(name)
            super().on("connect", name)(_let_in)
            super().on("disconnect", name)(_nothing)
        decorator: Callable[[Handler], Handler] = super().on(message, name)

        def register(handler: Handler) -> Handler:
            self.taken[name, message] = handler
            return decorator(handler)

        return register

    def on_namespace(self, namespace_handler: flask_socketio.Namespace) -> None:
        """Register a class of handlers; it gets a connect handler too, for the same reason."""
        for name, default in (("on_connect", _let_in), ("on_disconnect", _nothing)):
            if not hasattr(namespace_handler, name):
                setattr(namespace_handler, name, default)
        super().on_namespace(namespace_handler)

    def leave(self) -> None:
        """Tell the other processes that this one ends, for those that end without Python's own end."""
        if flush := getattr(self.server and self.server.manager, "flush", None):
            flush()

    def serve_with(self, app: Flask, server: socketio_library.Server) -> None:
        """Do what `init_app` does, with an existing server."""
        self.server, self.async_mode = server, server.async_mode
        for message, handler, namespace in self.handlers:
            server.on(message, handler, namespace=namespace)
        for namespace_handler in self.namespace_handlers:
            server.register_namespace(namespace_handler)
        app.extensions["socketio"] = self
        app.wsgi_app = _beside(server, app, app.wsgi_app)  # type: ignore[assignment, method-assign]


def _beside(server: socketio_library.Server, app: Flask, pages: WSGIApplication) -> WSGIApplication:
    """Return the application with the server under its path; the libraries' middleware would be slower."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(SOCKET_PATH):
            return pages(environ, start_response)
        environ["flask.app"] = app
        answer: Iterable[bytes] = server.handle_request(environ, start_response)
        return answer

    return call


def _let_in() -> None:
    """Accept every client that passes the checks."""


def _nothing() -> None:
    """Do nothing when a client disconnects."""


socketio = SocketIO()
"""Flask-SocketIO: register event handlers with `@socketio.on(event)`. Send to rooms with `publish`."""

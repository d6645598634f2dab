"""The objects that the whole application shares; made here, wired in create_app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import flask_socketio
import socketio as socketio_library
from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Handler = Callable[..., Any]
Dispatch = Callable[[str, str, Handler, tuple[Any, ...]], Any]
SOCKET_PATH = "/socket.io/"


class SocketIO(flask_socketio.SocketIO):  # type: ignore[misc]
    """Flask-SocketIO with a slot that every handler passes through; `chassis.realtime` fills it."""

    dispatch: Dispatch | None = None
    in_context: Callable[..., Any] | None = None  # a faster way to give a handler its Flask context

    def __init__(self, *args: Any, **options: Any) -> None:
        self._joinable: set[str] = set()
        super().__init__(*args, **options)

    def on(self, message: str, namespace: str | None = None) -> Callable[[Handler], Handler]:
        """Register a handler; its namespace gets a connect handler, so that none can be joined past the checks."""
        name = namespace or "/"
        if name not in self._joinable:
            self._joinable.add(name)
            super().on("connect", name)(_let_in)
            super().on("disconnect", name)(_nothing)
        decorator: Callable[[Handler], Handler] = super().on(message, name)
        return decorator

    def on_namespace(self, namespace_handler: flask_socketio.Namespace) -> None:
        """Register a class of handlers; it gets a connect handler too, for the same reason."""
        for name, default in (("on_connect", _let_in), ("on_disconnect", _nothing)):
            if not hasattr(namespace_handler, name):
                setattr(namespace_handler, name, default)
        super().on_namespace(namespace_handler)

    def serve_with(self, app: Flask, server: socketio_library.Server) -> None:
        """Do as `init_app` does, on a server that is made already."""
        self.server, self.async_mode = server, server.async_mode
        for message, handler, namespace in self.handlers:
            server.on(message, handler, namespace=namespace)
        for namespace_handler in self.namespace_handlers:
            server.register_namespace(namespace_handler)
        app.extensions["socketio"] = self
        app.wsgi_app = _beside(server, app, app.wsgi_app)  # type: ignore[assignment, method-assign]

    def _handle_event(self, handler: Handler, message: str | None, namespace: str, sid: str, *args: Any) -> Any:
        """Run a handler of an event, or (message None) a callback of an acknowledgement."""
        if self.in_context is not None:
            return self.in_context(handler, message, namespace, sid, args)
        if self.dispatch is not None and message is not None:
            handler = partial(_through, self.dispatch, message, namespace, handler)
        return super()._handle_event(handler, message, namespace, sid, *args)


def _beside(server: socketio_library.Server, app: Flask, pages: WSGIApplication) -> WSGIApplication:
    """Return the application with the server under its path; the libraries' own middleware makes a class a request."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(SOCKET_PATH):
            return pages(environ, start_response)
        environ["flask.app"] = app
        answer: Iterable[bytes] = server.handle_request(environ, start_response)
        return answer

    return call


def _let_in() -> None:
    """Accept everybody whom the checks accept."""


def _nothing() -> None:
    """Keep nothing of a client that left."""


def _through(dispatch: Callable[..., Any], message: str, namespace: str, handler: Handler, *args: Any) -> Any:
    return dispatch(message, namespace, handler, args)


socketio = SocketIO()

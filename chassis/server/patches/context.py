"""The Flask context of an event: created once per connection and copied, where Flask-SocketIO creates one per event.

`for_flask` checks that Flask and Flask-SocketIO fit before it imports this module.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.ctx import AppContext, RequestContext
from flask.globals import _cv_app, _cv_request
from flask.signals import appcontext_popped, appcontext_pushed, appcontext_tearing_down, request_tearing_down
from flask_socketio import ConnectionRefusedError, _ManagedSession

from chassis.server.patches.for_flask import Dispatch, Handler

TEMPLATE = "app.context"
SESSION = "saved_session"


def in_context(socketio: Any, dispatch: Dispatch) -> Callable[..., Any]:
    """Return a function that runs a handler through `dispatch` with request, session, g and current_app."""

    def run(handler: Handler, message: str | None, namespace: str, sid: str, args: tuple[Any, ...]) -> Any:
        environ = socketio.server.get_environ(sid, namespace=namespace)
        if not environ:
            return "", 400  # the client has disconnected meanwhile
        context = _context(environ)
        request: Any = context.request
        request.sid, request.namespace, request.event = sid, namespace, {"message": message, "args": args}
        if _watched(context.app):
            with context:
                return handled(handler, message, namespace, args)
        return _within(context, handled, handler, message, namespace, args)

    def handled(handler: Handler, message: str | None, namespace: str, args: tuple[Any, ...]) -> Any:
        try:
            if message is None:
                return handler(*args)
            if message == "connect":
                args = args[1:] or (None,)  # the client's `auth` data
            return dispatch(message, namespace, handler, args)
        except ConnectionRefusedError:
            raise
        except Exception as error:
            answer = socketio.exception_handlers.get(namespace, socketio.default_exception_handler)
            if answer is None:
                raise
            return answer(error)

    return run


def _within(context: RequestContext, work: Callable[..., Any], *args: Any) -> Any:
    """Return work(*args) run in a context; Flask's own way of entering one would take a tenth of an echo's time."""
    app_token, token = _cv_app.set(AppContext(context.app)), _cv_request.set(context)
    try:
        return work(*args)
    finally:
        _cv_request.reset(token)
        _cv_app.reset(app_token)


def _context(environ: dict[str, Any]) -> RequestContext:
    template: RequestContext | None = environ.get(TEMPLATE)
    if template is None:
        template = environ[TEMPLATE] = _template(environ)
    context: RequestContext = _copied(template)
    context.request = _copied(template.request)
    context._cv_tokens, context._after_request_functions = [], []
    return context


def _watched(app: Flask) -> bool:
    """Return whether Flask must enter the context itself: something listens for its end, or a context is active."""
    return bool(
        app.teardown_request_funcs
        or app.teardown_appcontext_funcs
        or appcontext_pushed.receivers
        or appcontext_popped.receivers
        or appcontext_tearing_down.receivers
        or request_tearing_down.receivers
        or _cv_app.get(None) is not None
    )


def _template(environ: dict[str, Any]) -> RequestContext:
    """Return a context that has matched its URL and opened its session, so that its copies need not."""
    app: Flask = environ["flask.app"]
    context = app.request_context(environ)
    context._session = environ[SESSION] = _ManagedSession(_opened(context) or {})
    if context.url_adapter is not None:
        context.match_request()
    _forget_frames(context.request.routing_exception)
    context.match_request = _nothing  # type: ignore[method-assign]
    return context


def _forget_frames(error: BaseException | None) -> None:
    """Drop the frames, and all that they refer to, from an error that is kept as long as the connection."""
    if error is not None:
        error.__traceback__ = error.__context__ = None


def _opened(context: RequestContext) -> Any:
    """Return the session of the request that began the connection."""
    return _within(context, context.app.session_interface.open_session, context.app, context.request)


def _copied(original: Any) -> Any:
    """Return a shallow copy; `copy.copy` takes six times as long."""
    copied = object.__new__(type(original))
    copied.__dict__ = original.__dict__.copy()
    return copied


def _nothing() -> None:
    """Do nothing: the URL was matched when the connection was made."""

"""Wraps every event: authorisation, rate limits, validation, metrics, logs, and errors as acknowledgements."""

import itertools
import logging
import time
from functools import cache
from typing import Any

import structlog
from flask import request
from flask_socketio import ConnectionRefusedError
from structlog.contextvars import bind_contextvars, clear_contextvars

from chassis.db.trouble import unavailable
from chassis.errors import AppError, NotFound
from chassis.extensions import Handler, socketio
from chassis.observability.metrics import SOCKET_CONNECTIONS, SOCKET_EVENTS, SOCKET_LATENCY
from chassis.realtime import access, caps, contracts, event_rates, presence, revocation
from chassis.realtime.messages import called, takes
from chassis.realtime.streams import stopping

log = structlog.get_logger(__name__)
quiet = logging.getLogger(__name__)  # not structlog's: every event and client logs these lines
LIFECYCLE = ("connect", "disconnect")
INTERNAL_ERROR = "internal_error"
_numbers = itertools.count(1)


def dispatch(event: str, namespace: str, handler: Handler, args: tuple[Any, ...]) -> Any:
    """Run a handler and return its acknowledgement: its return value, or `{"ok": false, "error": ...}` for an error."""
    sid = request._get_current_object().sid  # type: ignore[attr-defined]  # a proxy access takes 1 us
    if not socketio.in_context:
        clear_contextvars()  # the thread may have served another event before
    bind_contextvars(sid=sid, request_id=f"{sid}.{next(_numbers)}")
    if event in LIFECYCLE:
        return _connect(handler, args) if event == "connect" else _disconnect(handler, args)
    started = time.perf_counter()
    try:
        answer = _run(handler, event, args)
    except BaseException as error:
        if not _failed(error):
            raise
        error = unavailable(error) or error
        handled = _handled_by_application(namespace)
        _count_failure(event, error, started, expected=handled or isinstance(error, AppError))
        if handled:
            raise
        return _envelope(error)
    seconds = time.perf_counter() - started
    _events(event, "ok").inc()
    _latency(event).observe(seconds)
    if quiet.isEnabledFor(logging.DEBUG):
        quiet.debug("socket_event", extra=_fields(event, "ok", seconds))
    return answer


def unhandled(_event: str) -> dict[str, Any]:
    """Return the acknowledgement of an event that has no handler."""
    _events("unknown", NotFound.code).inc()
    return _envelope(NotFound("There is no such event."))


def unsendable(error: Exception) -> dict[str, Any]:
    """Return the acknowledgement that replaces a return value that is not JSON."""
    log.error("socket_answer_unsendable", error=str(error))
    return _envelope(error)


def _run(handler: Handler, event: str, args: tuple[Any, ...]) -> Any:
    access.check_scope(handler)
    event_rates.spend(handler, event)
    answer = called(handler, args)
    contracts.check_answer(event, handler, answer)
    return answer


def _failed(error: BaseException) -> bool:
    """Return whether a handler failed rather than being ended; green libraries' timeouts are not an Exception."""
    return isinstance(error, Exception) or any(kind.__name__ == "Timeout" for kind in type(error).__mro__)


def _count_failure(event: str, error: BaseException, started: float, *, expected: bool) -> None:
    """Count and log a failure in one line, with the traceback when the error is unexpected."""
    seconds, outcome = time.perf_counter() - started, error.code if isinstance(error, AppError) else INTERNAL_ERROR
    _events(event, outcome).inc()
    _latency(event).observe(seconds)
    if expected:
        log.info("socket_event_refused", **_fields(event, outcome, seconds))
    else:
        log.error("socket_event_failed", **_fields(event, outcome, seconds), exc_info=error)


def _fields(event: str, outcome: str, seconds: float) -> dict[str, Any]:
    return {"socket_event": event, "outcome": outcome, "duration_ms": round(seconds * 1000, 2)}


def _handled_by_application(namespace: str) -> bool:
    """Return whether the application has a Flask-SocketIO error handler, which takes precedence."""
    return bool(socketio.exception_handlers.get(namespace) or socketio.default_exception_handler)


def _envelope(error: BaseException) -> dict[str, Any]:
    """Return the error for the client; one that is not meant for people is reported without details."""
    told = error if isinstance(error, AppError) else AppError("Something went wrong on our side; it has been logged.")
    return {"ok": False, "error": told.as_dict()}


def _connect(handler: Handler, args: tuple[Any, ...]) -> Any:
    """Accept a client when the checks and the handler agree."""
    answer = False
    try:
        answer = _asked(handler, args)
    finally:
        if answer is False:
            revocation.forget()
    if answer is not False:
        SOCKET_CONNECTIONS.inc()
        event_rates.joined()
        caps.joined()
    level = logging.DEBUG if answer is not False else logging.INFO
    quiet.log(level, "socket_connect", extra={"accepted": answer is not False})
    return answer


def _asked(handler: Handler, args: tuple[Any, ...]) -> Any:
    """Return what the handler says, which may take the client's `auth` or no argument; False when it fails."""
    try:
        access.admit(args[0] if args else None)
        revocation.watch()  # before the handler, since the client may lose its rights while a slow one runs
        return handler(*args[: takes(handler)])
    except ConnectionRefusedError:
        raise
    except AppError as error:
        log.info("socket_connect_refused", code=error.code)
        raise ConnectionRefusedError(error.message, error.as_dict()) from None
    except BaseException as error:
        if not _failed(error):
            raise
        if told := unavailable(error):
            log.warning("socket_connect_refused", code=told.code)
            raise ConnectionRefusedError(told.message, told.as_dict()) from None
        log.error("socket_event_failed", socket_event="connect", exc_info=error)
        return False


def _disconnect(handler: Handler, args: tuple[Any, ...]) -> None:
    SOCKET_CONNECTIONS.dec()
    presence.gone(request.sid)  # type: ignore[attr-defined]
    stopping.client_gone(request.sid)  # type: ignore[attr-defined]
    revocation.forget()
    event_rates.left()
    caps.left()
    try:
        handler(*args[: takes(handler)])
    except Exception:
        log.exception("socket_event_failed", socket_event="disconnect")
    quiet.info("socket_disconnect", extra={"reason": args[0] if args else None})


@cache
def _events(event: str, outcome: str) -> Any:
    return SOCKET_EVENTS.labels(event, outcome)


@cache
def _latency(event: str) -> Any:
    return SOCKET_LATENCY.labels(event)

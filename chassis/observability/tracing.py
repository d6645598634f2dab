"""Spans for requests, socket events, jobs, calls outside and the database; without tracing the functions do nothing.

The other rooms know this module only. OpenTelemetry, which makes and sends the spans, is imported by `install` when
OTEL_EXPORTER_OTLP_ENDPOINT is set, and not before, so that it finds the process patched.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from chassis.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from chassis.observability.spans import Spans

__all__ = ["child", "headers", "note", "span"]

Attributes = Mapping[str, Any]
_spans: "Spans | None" = None
_NOTHING: AbstractContextManager[None] = nullcontext()


def install(app: "Flask", settings: Settings) -> None:
    """Start tracing, if it is on; call it before the sockets' server wraps the application."""
    global _spans
    if not settings.otel_exporter_otlp_endpoint:
        _spans = None
        return
    from chassis.observability.spans import Spans, trace_requests

    _spans = Spans(settings)
    trace_requests(app, _spans)


def flush() -> None:
    """Wait briefly for pending spans to be sent when the process ends; does nothing when tracing is off."""
    if _spans is not None:
        _spans.flush()


def span(name: str, attributes: Attributes) -> AbstractContextManager[Any]:
    """Return a context that is a span: inside of the current one, or else the first of a new trace.

    `kind` among the attributes (server, client, consumer) sets the span's kind; all others are sent, without secrets.
    An exception that leaves the block is the span's error. Not for real threads under eventlet: it takes green locks.
    """
    return _NOTHING if _spans is None else _spans.span(name, attributes)


def child(name: str, attributes: Attributes) -> AbstractContextManager[Any]:
    """Return a context that is a span inside of the current one; it does nothing where there is no current span."""
    return _NOTHING if _spans is None else _spans.child(name, attributes)


def query(kind: str, work: Callable[..., Any]) -> AbstractContextManager[Any]:
    """Return a span for a database operation, named after the function that runs it."""
    return _NOTHING if _spans is None else _spans.query(kind, work)


def note(attributes: Attributes) -> None:
    """Add attributes to the current span."""
    if _spans is not None:
        _spans.note(attributes)


def headers() -> dict[str, str]:
    """Return the headers that tell the other side of a call which trace it belongs to."""
    return {} if _spans is None else _spans.headers()


def around_events(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Return a dispatcher that runs each socket event in a span, or `dispatch` itself when tracing is off."""
    return dispatch if _spans is None else _spans.around_events(dispatch)

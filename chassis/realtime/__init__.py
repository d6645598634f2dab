"""Sockets: every event passes through `dispatch`; what jobs tell goes out through `publisher`."""

from typing import Any

from flask import Flask

from chassis.base.service import current as service
from chassis.extensions import socketio
from chassis.observability import tracing
from chassis.security.origins import origin_check
from chassis.settings import Settings


def install(app: Flask, settings: Settings) -> None:
    """Wire Flask-SocketIO into the application, with the core's own events."""
    from chassis.realtime import dispatch, door, event_rates, events, presence, publisher, recovery, relay

    socketio.dispatch = tracing.around_events(dispatch.dispatch)
    events.register(app)
    event_rates.configure(settings)
    recovery.configure(settings)
    presence.configure(settings)
    publisher.connect()
    mode = settings.async_mode if _serving(settings) else "threading"
    fast = mode == "eventlet" and settings.socket_transport == "fast"
    _install_fast(app, settings) if fast else _install_stock(app, settings, mode)
    app.wsgi_app = door.wrapped(app.wsgi_app)  # type: ignore[assignment, method-assign]
    relay.attach()


def _install_stock(app: Flask, settings: Settings, mode: str) -> None:
    from chassis.server.stock import StockServer

    socketio.in_context = None
    socketio.serve_with(app, StockServer(async_mode=mode, **_options(settings)))


def _install_fast(app: Flask, settings: Settings) -> None:
    from chassis.realtime.context import in_context
    from chassis.realtime.dispatch import dispatch
    from chassis.server.transport import FastServer

    socketio.in_context = in_context(socketio, tracing.around_events(dispatch))
    socketio.serve_with(app, FastServer(async_mode="eventlet", **_options(settings)))


def _options(settings: Settings) -> dict[str, Any]:
    from chassis.realtime.caps import caps, report, too_many_rooms
    from chassis.realtime.dispatch import unhandled, unsendable

    return {
        "limits": caps(settings),
        "report": report,
        "redis_url": settings.redis_url.get_secret_value(),
        "channel": service().slug,
        "unhandled": unhandled,
        "unsendable": unsendable,
        "too_many_rooms": too_many_rooms,
        "cors_allowed_origins": origin_check(settings.cors_origins),
        "transports": list(settings.socket_transports),
        "max_http_buffer_size": settings.socket_max_message_bytes,
        "ping_interval": settings.socket_ping_interval_seconds,
        "ping_timeout": settings.socket_ping_timeout_seconds,
        "logger": False,
        "engineio_logger": False,
    }


def _serving(settings: Settings) -> bool:
    """Return whether this process is patched for its mode; commands are not, and get plain threads."""
    from chassis.base.concurrency import current_mode

    return current_mode() == settings.async_mode

"""Socket.IO: event handlers, rooms whose events are numbered, presence, and the live updates of jobs."""

from typing import Any

from flask import Flask

from chassis.base import jsontext
from chassis.base.service import current as service
from chassis.extensions import socketio
from chassis.observability import tracing
from chassis.realtime import access, presence, recovery
from chassis.realtime.contracts import Event, answers, sends
from chassis.realtime.event_rates import limit
from chassis.realtime.publisher import publish, publish_details
from chassis.realtime.recovery import Resumable
from chassis.realtime.streams import End, Source, Stopped, Stream, Unread, Writing, Written, stream
from chassis.security.origins import origin_check
from chassis.settings import Settings

__all__ = [
    "End",
    "Event",
    "Resumable",
    "Source",
    "Stopped",
    "Stream",
    "Unread",
    "Writing",
    "Written",
    "access",
    "answers",
    "limit",
    "presence",
    "publish",
    "publish_details",
    "recovery",
    "sends",
    "socketio",
    "stream",
]


def install(app: Flask, settings: Settings) -> None:
    """Wire Flask-SocketIO into the application, with the core's own events."""
    from chassis.realtime import contracts, dispatch, door, event_rates, events, publisher, relay
    from chassis.realtime.streams import stopping

    socketio.dispatch = tracing.around_events(dispatch.dispatch)
    contracts.configure(settings)
    events.register(app)
    event_rates.configure(settings)
    mode = settings.async_mode if _serving(settings) else "threading"
    _install_server(app, settings, mode)
    relay.share()
    recovery.configure(settings)
    presence.configure(settings)
    publisher.connect()
    stopping.install(settings)
    app.wsgi_app = door.wrapped(app.wsgi_app)  # type: ignore[assignment, method-assign]
    relay.attach()


def _install_server(app: Flask, settings: Settings, mode: str) -> None:
    from chassis.server.patches import for_socketio

    socketio.in_context = None
    if mode != "threading" and settings.socket_transport == "fast" and for_socketio.fast_transport_fits():
        _install_fast(app, settings, mode)
    elif for_socketio.stock_transport_fits():
        _install_stock(app, settings, mode)
    else:
        queue = settings.redis_url.get_secret_value() or None
        options = _library_options(settings) | {"json": jsontext, "async_mode": mode}
        socketio.init_app(app, **options, message_queue=queue, channel=service().slug)


def _install_stock(app: Flask, settings: Settings, mode: str) -> None:
    from chassis.server.stock import StockServer

    socketio.serve_with(app, StockServer(async_mode=mode, **_options(settings)))


def _install_fast(app: Flask, settings: Settings, mode: str) -> None:
    from chassis.realtime.dispatch import dispatch
    from chassis.server.patches.for_flask import context_of_events
    from chassis.server.transport import FastServer

    socketio.in_context = context_of_events(app, socketio, tracing.around_events(dispatch))
    socketio.serve_with(app, FastServer(async_mode=mode, **_options(settings)))


def _options(settings: Settings) -> dict[str, Any]:
    from chassis.realtime.caps import caps, report, too_many_rooms
    from chassis.realtime.dispatch import unhandled, unsendable

    return _library_options(settings) | {
        "limits": caps(settings),
        "report": report,
        "redis_url": settings.redis_url.get_secret_value(),
        "channel": service().slug,
        "unhandled": unhandled,
        "unsendable": unsendable,
        "too_many_rooms": too_many_rooms,
    }


def _library_options(settings: Settings) -> dict[str, Any]:
    return {
        "cors_allowed_origins": origin_check(settings.cors_origins),
        "transports": list(settings.socket_transports),
        "max_http_buffer_size": settings.socket_max_message_bytes,
        "ping_interval": settings.socket_ping_interval_seconds,
        "ping_timeout": settings.socket_ping_timeout_seconds,
        "logger": False,
        "engineio_logger": False,
    }


def _serving(settings: Settings) -> bool:
    """Return whether this process is patched for its async mode; commands are not, and use plain threads."""
    from chassis.base.concurrency import current_mode

    return current_mode() == settings.async_mode

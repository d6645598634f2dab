"""The live page, and one event a second to those who have it open in this worker."""

from typing import Any

from flask import Blueprint, render_template

from app.features.gateway import gateway, stats
from app.features.gateway.gateway import Gateway
from app.features.gateway.messages import Stats
from chassis.realtime import access, limit, sends, socketio
from chassis.security import identity, needs

blueprint = Blueprint("gateway", __name__)
ROOM, EVENT = "gateway", "gateway:stats"


def connect() -> None:
    """Register the events."""
    sends(EVENT, Stats, to="everyone who has the page open, once a second", numbered=False)
    socketio.on("gateway:watch")(watch)


@blueprint.get("/gateway")
def page() -> str:
    """Show the backends and the last calls."""
    return render_template("gateway/index.html", admin=identity.current().may(identity.ADMIN))


@needs(identity.READ)
@limit(1, burst=5)
def watch() -> dict[str, Any]:
    """Follow the figures of the backends; return those of now."""
    access.join(ROOM)
    return {"ok": True, **stats.stats(gateway.current())}


def tell(made: Gateway) -> None:
    """Send the figures, if a client of this worker follows them."""
    if access.watched(ROOM):
        socketio.emit(EVENT, stats.stats(made), to=ROOM, ignore_queue=True)

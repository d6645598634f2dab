"""The live page: one event a second to those who have it open in this worker."""

from typing import TYPE_CHECKING, Any

from app.features.gateway import stats
from app.features.gateway.messages import Stats
from chassis.realtime import access, limit, sends, socketio
from chassis.security import identity, needs

if TYPE_CHECKING:
    from app.features.gateway.gateway import Gateway

ROOM, EVENT = "gateway", "gateway:stats"


def connect() -> None:
    """Register the events."""
    sends(EVENT, Stats, to="everyone who has the page open, once a second", numbered=False)
    socketio.on("gateway:watch")(watch)


@needs(identity.READ)
@limit(1, burst=5)
def watch() -> dict[str, Any]:
    """Follow the figures of the backends; return those of now."""
    from app.features.gateway import gateway

    access.join(ROOM)
    return {"ok": True, **stats.stats(gateway.current())}


def tell(gateway: "Gateway") -> None:
    """Send the figures, if a client of this worker follows them."""
    if next(iter(socketio.server.manager.get_participants("/", ROOM)), None) is not None:
        socketio.emit(EVENT, stats.stats(gateway), to=ROOM, ignore_queue=True)

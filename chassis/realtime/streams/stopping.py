"""Ends streams: by a viewer in any process, without viewers, and with the process."""

import time
from typing import Any

from flask import request
from flask_socketio import rooms
from pydantic import BaseModel, Field

from chassis.base.ticker import Ticker
from chassis.errors import Forbidden, NotFound
from chassis.extensions import socketio
from chassis.realtime import recovery, relay
from chassis.realtime.access import watched
from chassis.realtime.streams import described
from chassis.realtime.streams.run import BY_VIEWER, End, places
from chassis.realtime.streams.sender import Stream, mine
from chassis.realtime.streams.texts import texts
from chassis.security import identity, needs
from chassis.security.identity import ADMIN, SUBMIT
from chassis.settings import Settings
from chassis.wiring import current_settings

LOOK_SECONDS = 1.0
MISSED_HEARTBEATS = 3
UNWATCHED = End("stopped", "unwatched", "Nobody has been watching.")
LOST = End("failed", "interrupted", "The answer was interrupted: try again.")


class Stop(BaseModel):
    """Which stream to stop, and the room in which the client follows it; without a room it is the client's own."""

    id: str = Field(max_length=64)
    room: str | None = Field(None, max_length=255)


def install(settings: Settings) -> None:
    """Register the event, and apply the settings."""
    places.configure(settings.max_concurrent_streams)
    Stream.updates_per_second = settings.stream_updates_per_second
    Stream.heartbeat_seconds = settings.stream_heartbeat_seconds
    described.declare()
    socketio.on("stream:stop")(stop)
    relay.listen(_heard)
    texts.attach()


@needs(SUBMIT)
def stop(message: Stop) -> dict[str, Any]:
    """Stop a stream that the client follows and may change, in whichever process it runs."""
    sid = request.sid  # type: ignore[attr-defined]
    room = message.room or sid
    if room not in rooms():
        raise NotFound("There is no such stream.")
    who = identity.current()
    by = None if who.may(ADMIN) or not current_settings().guarded else who.owner
    if message.id in mine:
        _stop(message.id, room, by)
    else:
        relay.tell({"stop": message.id, "room": room, "by": by})
    return {"ok": True}


def _stop(name: str, room: str, by: str | None) -> None:
    found = mine.get(name)
    if found is None or found.target != room:
        raise NotFound("There is no such stream.")
    if by is not None and (not by or found.owner != by):
        raise Forbidden("This stream belongs to someone else.")
    found.stop(BY_VIEWER)


def client_gone(sid: str) -> None:
    """Stop the streams of a client that has disconnected."""
    for one in list(mine.values()):
        if one.target == sid:
            one.stop(UNWATCHED)


def _heard(said: dict[str, Any]) -> None:
    """Take what another process says: a stop, a question for viewers, or the answer to it."""
    if said.get("stop") in mine:
        try:
            _stop(said["stop"], said["room"], said["by"])
        except (NotFound, Forbidden):
            return
    elif "watched?" in said and watched(said["watched?"]):
        relay.tell({"watched": said["watched?"]})
    elif "watched" in said:
        for one in list(mine.values()):
            if one.target == said["watched"]:
                one.watched_at = time.monotonic()


class Keeper(Ticker):
    """Ends streams that nobody watches, and tells the viewers of streams whose process has died."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("streams", LOOK_SECONDS)
        self._unwatched_seconds = settings.stream_unwatched_seconds
        self._silent_seconds = MISSED_HEARTBEATS * settings.stream_heartbeat_seconds

    def tick(self) -> None:
        """Look at all streams."""
        for one in list(mine.values()):
            if watched(one.target):
                one.watched_at = time.monotonic()
            elif one.to_socket:
                one.stop(UNWATCHED)
            elif self._unwatched_seconds:
                relay.tell({"watched?": one.target})
                if time.monotonic() - one.watched_at > self._unwatched_seconds:
                    one.stop(UNWATCHED)
        if recovery.speaks():
            for name, room in texts.silent(self._silent_seconds):
                recovery.deliver(room, "stream:end", {"id": name, **LOST.as_dict()})

    def stop(self) -> None:
        """End all streams, since the process ends."""
        super().stop()
        places.close()

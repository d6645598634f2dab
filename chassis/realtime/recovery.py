"""Missed-event recovery: events sent to a room are numbered and kept, and clients that reconnect receive the rest.

Each process numbers what it sends to its own clients, under an epoch that it generates at its start. A client that
reconnects to another process, or after a restart, presents an unknown epoch and is told to fetch the current state.
"""

import json
import secrets
import threading
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from chassis.extensions import socketio
from chassis.realtime import access
from chassis.realtime.event_log import Entry, EventLog
from chassis.settings import Settings

__all__ = ["Position", "Resumable", "join"]


class Position(BaseModel):
    """The last event of a room that a client has seen."""

    epoch: str = Field(max_length=64)
    seq: int = Field(ge=0)


class Resumable(BaseModel):
    """A message that joins a room; `after` is the last position that a client saw, when it comes back."""

    after: Position | None = None


class Streams:
    """The numbered rooms of this process.

    One lock makes numbering, storing and sending atomic, as well as joining and replaying: a client receives each event
    either in its replay or live, and all in numerical order. Nothing under the lock waits for a client.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def configure(self, settings: Settings) -> None:
        """Start with an empty log and a unique epoch."""
        limits = {"max_events": settings.event_log_max_events, "max_bytes": settings.event_log_max_bytes}
        self._log = EventLog(**limits, seconds=settings.event_log_seconds)
        self._epoch = secrets.token_hex(8)
        # A replay that fills the send buffer would close the connection, and the client would reconnect and ask again.
        self._max_replay_bytes = settings.socket_send_buffer_bytes // 4 or settings.event_log_max_bytes
        self._max_replay_events = settings.socket_send_buffer_messages // 4 or settings.event_log_max_events

    def deliver(self, room: str, event: str, data: dict[str, Any]) -> None:
        """Send an event to this process's clients in a room, with its number in the field `stream`."""
        text = json.dumps(data)
        with self._lock:
            stream = self._stream(room, self._log.append(room, event, text))
            socketio.emit(event, {**data, "stream": stream}, to=room, ignore_queue=True)

    def join(self, room: str, after: Position | None = None) -> dict[str, Any]:
        """Let the client of this event into a room, send it the events it missed, and return its position.

        The answer is `{room, epoch, seq, recovered}`. Raises AppError when a check refuses the join, and RuntimeError
        outside of the default namespace.
        """
        sid, namespace = request.sid, request.namespace  # type: ignore[attr-defined]
        if namespace != "/":
            raise RuntimeError("Events are published in the default namespace: join their rooms there.")
        access.check(room)
        with self._lock:
            access.enter(room)
            missed = self._missed(room, after)
            for entry in missed or ():
                data = {**json.loads(entry.text), "stream": self._stream(room, entry.seq)}
                socketio.emit(entry.event, data, to=sid, ignore_queue=True)
            return self._stream(room, self._log.position(room)) | {"recovered": missed is not None}

    def _missed(self, room: str, after: Position | None) -> list[Entry] | None:
        """Return the events after a position, or None when they are not all known or too many."""
        if after is None or after.epoch != self._epoch:
            return None
        missed = self._log.since(room, after.seq)
        if missed is None or len(missed) > self._max_replay_events:
            return None
        return missed if sum(len(entry.text) for entry in missed) <= self._max_replay_bytes else None

    def _stream(self, room: str, seq: int) -> dict[str, Any]:
        return {"room": room, "epoch": self._epoch, "seq": seq}


streams = Streams()
configure, deliver, join = streams.configure, streams.deliver, streams.join

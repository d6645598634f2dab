"""Sends a stream to a room or to a socket: `stream:start`, `stream:part` in order, and `stream:end`."""

import contextvars
import secrets
import threading
import time
from typing import Any

from flask import has_request_context

from chassis.extensions import socketio
from chassis.realtime.publisher import publish
from chassis.realtime.streams.run import FAULT, Run, Source, Unread
from chassis.security import identity

CLOSING_SECONDS = 1.0  # for a stopped source to end, before its clients are told
LOOK_SECONDS = 0.02


class Stream(Run):
    """A stream to a room or to a socket, which this process sends."""

    updates_per_second = 20.0
    heartbeat_seconds = 15.0

    def __init__(self, target: str, source: Source, about: dict[str, Any], unread: Unread | None = None) -> None:
        super().__init__(source, unread)
        self.id, self.target, self.about = secrets.token_urlsafe(12), target, about
        self.owner = identity.current().owner if has_request_context() else ""
        self.to_socket = is_socket(target)
        self.watched_at = time.monotonic()
        self._characters = 0

    def send(self) -> None:
        """Send everything until the end; parts that come quickly are joined."""
        try:
            self._tell("stream:start", about=self.about)
            while not (self.end or self.stopped()):
                self._part(self.take(self.heartbeat_seconds))
                if not self.end:
                    self._pause()
            self._part(self.take(0), heartbeat=False)
            self._let_close()
        finally:
            mine.pop(self.id, None)
            self.stop(FAULT)  # of a source that still runs, when its texts could not be sent
            self._tell("stream:end", **(self.end or self.ending or FAULT).as_dict())

    def _let_close(self) -> None:
        deadline = time.monotonic() + CLOSING_SECONDS
        while not self.end and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _pause(self) -> None:
        """Wait until the next part may be sent: the streams of a target share its rate."""
        sharing = sum(other.target == self.target for other in list(mine.values())) or 1
        deadline = time.monotonic() + sharing / self.updates_per_second
        while not (self.end or self.stopped()) and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 1 / self.updates_per_second))

    def _part(self, texts: list[str], *, heartbeat: bool = True) -> None:
        text = "".join(texts)
        if text or heartbeat:
            self._tell("stream:part", at=self._characters, text=text)
            self._characters += len(text)

    def _tell(self, event: str, **data: Any) -> None:
        publish(self.target, event, {"id": self.id, **data})


mine: dict[str, Stream] = {}
"""The streams that this process sends, by their ids."""


def stream(target: str, source: Source, about: dict[str, Any] | None = None, *, unread: Unread | None = None) -> Stream:
    """Send the texts of a source to the clients in a room, or to one client by its session id; returns at once.

    The clients receive `stream:start` with the `id` and `about`, `stream:part` with `text` (`at` is the number of
    characters before it) at most STREAM_UPDATES_PER_SECOND times a second, and `stream:end` with the `outcome`: done,
    stopped, or failed with an `error`. A client that may change the caller's work stops it with the event
    `stream:stop`. The stream ends when its client disconnects, or STREAM_UNWATCHED_SECONDS after the last client has
    left the room. Above MAX_CONCURRENT_STREAMS it fails at once: the source is not called, but `unread(end)` is.
    """
    made = Stream(target, source, about or {}, unread)
    mine[made.id] = made
    made.start()
    threading.Thread(target=contextvars.Context().run, args=(made.send,), name="stream-sender", daemon=True).start()
    return made


def is_socket(target: str) -> bool:
    """Return whether a target is a client of this process rather than a room."""
    return bool(socketio.server.manager.is_connected(target, "/"))

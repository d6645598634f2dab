"""Remembers the running streams that this process delivers, so that a client that comes late gets the text so far."""

import time
from collections import OrderedDict
from typing import Any

from chassis.realtime.recovery import streams as rooms

MAX_CHARACTERS = 8_000_000  # of all texts; the oldest stream is forgotten above it


class Text:
    """A running stream: its room, what it is about, and its text so far."""

    def __init__(self, room: str, about: Any) -> None:
        self.room, self.about = room, about
        self.pieces: list[str] = []
        self.characters = 0
        self.heard_at = time.monotonic()


class Texts:
    """The texts by stream; used under the lock of the rooms, so that a client misses nothing and gets nothing twice."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._characters = 0

    def attach(self) -> None:
        """Listen to what is delivered, and add the running streams to the answers of joins."""
        rooms.observe("stream:start", self._begun)
        rooms.observe("stream:part", self._grown)
        rooms.observe("stream:end", self._ended)
        rooms.tell_joining("streams", self.running)

    def running(self, room: str) -> list[dict[str, Any]]:
        """Return the running streams of a room with their texts so far."""
        found = [(name, one) for name, one in self._texts.items() if one.room == room]
        return [{"id": name, "about": one.about, "text": "".join(one.pieces)} for name, one in found]

    def silent(self, seconds: float) -> list[tuple[str, str]]:
        """Return (id, room) of streams that show no sign of life: their process has died."""
        before = time.monotonic() - seconds
        return [(name, one.room) for name, one in list(self._texts.items()) if one.heard_at < before]

    def _begun(self, room: str, data: dict[str, Any]) -> None:
        self._texts[data["id"]] = Text(room, data.get("about"))

    def _grown(self, room: str, data: dict[str, Any]) -> None:
        one = self._texts.get(data["id"])
        if one is None:
            return
        if one.characters != data["at"]:  # this process has missed some
            self._forget(data["id"])
            return
        one.heard_at = time.monotonic()
        if data["text"]:
            one.pieces.append(data["text"])
            one.characters += len(data["text"])
            self._characters += len(data["text"])
        while self._characters > MAX_CHARACTERS:
            self._forget(next(iter(self._texts)))

    def _ended(self, room: str, data: dict[str, Any]) -> None:
        self._forget(data["id"])

    def _forget(self, name: str) -> None:
        if one := self._texts.pop(name, None):
            self._characters -= one.characters


texts = Texts()

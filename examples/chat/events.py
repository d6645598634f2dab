"""The event that follows a conversation: whoever may see it receives its answers."""

from typing import Any

from pydantic import Field

from app.features.chat import live, service
from chassis.realtime import Resumable, recovery, socketio


class Follow(Resumable):
    """Which conversation."""

    id: str = Field(min_length=32, max_length=32)


@socketio.on("chat:follow")
def follow(message: Follow) -> dict[str, Any]:
    """Follow a conversation; fetch it when an event says that it changed, or when events were missed."""
    service.found(message.id)
    return {"ok": True, "stream": recovery.join(live.room(message.id), message.after)}

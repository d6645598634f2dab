"""The room of a conversation, which receives its answers part by part, and word that its messages changed."""

from typing import Any

from pydantic import Field

from chassis.realtime import Event, Resumable, publish, recovery, socketio


class Follow(Resumable):
    """Which conversation."""

    id: str = Field(min_length=32, max_length=32)


class Changed(Event):
    """Messages of a conversation were added, changed or deleted: fetch it."""

    id: str


def room(conversation_id: str) -> str:
    """Return the room of a conversation."""
    return f"chat:{conversation_id}"


def tell(conversation_id: str) -> None:
    """Tell those who follow a conversation that its messages changed."""
    publish(room(conversation_id), "chat:changed", {"id": conversation_id})


@socketio.on("chat:follow")
def follow(message: Follow) -> dict[str, Any]:
    """Follow a conversation; fetch it when an event says that it changed, or when events were missed."""
    from app.features.chat import service

    service.found(message.id)
    return {"ok": True, "stream": recovery.join(room(message.id), message.after)}

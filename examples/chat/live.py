"""The room of a conversation, which receives its answers part by part, and word that its messages changed."""

from chassis.realtime import Event, publish, sends


class Changed(Event):
    """Messages of a conversation were added, changed or deleted: fetch it."""

    id: str


def connect() -> None:
    """Declare what is sent."""
    sends("chat:changed", Changed, to="everyone who follows the conversation")


def room(conversation_id: str) -> str:
    """Return the room of a conversation."""
    return f"chat:{conversation_id}"


def tell(conversation_id: str) -> None:
    """Tell those who follow a conversation that its messages changed."""
    publish(room(conversation_id), "chat:changed", {"id": conversation_id})

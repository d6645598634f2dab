"""The events of streams, as clients receive them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from chassis.realtime import contracts
from chassis.realtime.contracts import Event

VIEWERS = "the clients in the stream's room, or its only client"


class StreamStart(Event):
    """A stream begins."""

    id: str
    about: dict[str, Any] = Field(description="What the service says about it.")


class StreamPart(Event):
    """A piece of the text; an empty one says that the stream goes on."""

    id: str
    at: int = Field(description="Number of characters before it.")
    text: str


class StreamError(BaseModel):
    """Why a stream ended early."""

    code: str
    message: str


class StreamEnd(Event):
    """A stream has ended."""

    id: str
    outcome: Literal["done", "stopped", "failed"]
    error: StreamError | None = None


def declare() -> None:
    """Declare the events."""
    contracts.sends("stream:start", StreamStart, to=VIEWERS)
    contracts.sends("stream:part", StreamPart, to=VIEWERS)
    contracts.sends("stream:end", StreamEnd, to=VIEWERS)

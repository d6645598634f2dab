"""The events: viewers are told of each verdict, and a client may send an image by itself."""

from typing import Any, Literal

from pydantic import Field

from app.features.inspections import messages
from chassis import files
from chassis.realtime import Event, Resumable, answers, publish, recovery, sends, socketio
from chassis.security import needs, ownership
from chassis.web import Text

ROOM = "inspections"


class SentImage(Event):
    """One image."""

    name: Text = Field(min_length=1, max_length=200)
    image: bytes = Field(min_length=1, description="The content of a JPEG, PNG or WebP file.")


class Accepted(Event):
    """The image is stored, and its job waits."""

    ok: Literal[True]
    id: str


def connect() -> None:
    """Declare what the server sends."""
    sends("inspections:image", messages.ImageResponse, to="an owner and admins, when an image got its verdict")
    sends("inspections:changed", messages.Changed, to="an owner and admins")


def room() -> str:
    """Return the room of what the caller may list: their own images, or everybody's."""
    owner = ownership.seen_owner()
    return ROOM if owner is None else f"{ROOM}:{owner}"


def tell(owner: str, event: str, data: dict[str, Any]) -> None:
    """Tell an owner, and those who see everybody's, of an image that changed, or of an inspection more or less."""
    for name in [ROOM, f"{ROOM}:{owner}"] if owner else [ROOM]:
        publish(name, f"inspections:{event}", data)


@socketio.on("inspections:follow")
def follow(message: Resumable) -> dict[str, Any]:
    """Follow the verdicts; fetch the images when events were missed."""
    return {"ok": True, "stream": recovery.join(room(), message.after)}


@socketio.on("inspections:inspect")
@needs("submit")
@answers(Accepted)
def inspect(message: SentImage) -> dict[str, Any]:
    """Store one image and queue its inspection; its verdict comes as `inspections:image`."""
    from app.features.inspections import service

    with files.arriving([(message.name, [message.image])]) as arrived:
        made = service.create(arrived, "", "socket")
    return {"ok": True, "id": made["id"]}

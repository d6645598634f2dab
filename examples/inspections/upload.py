"""Where images come from: a form, one message of a socket; camera.py takes those of a folder."""

from typing import Any

from werkzeug.datastructures import FileStorage

from app.features.inspections import service
from chassis import files
from chassis.files import StoredFile

TYPES = ("image/jpeg", "image/png", "image/webp")
LABEL = "inspections"


def form(images: list[FileStorage], name: str) -> dict[str, Any]:
    """Store the images of a form, all or none, and inspect them."""
    return made_of(files.keep(images, TYPES, label=LABEL), name, "upload")


def one(name: str, content: bytes, source: str) -> dict[str, Any]:
    """Store an image whose content is here, and inspect it."""
    with files.arriving([(name, [content])]) as arrived:
        return made_of(files.keep(arrived, TYPES, label=LABEL), "", source)


def made_of(stored: list[StoredFile], name: str, source: str, origins: list[str] | None = None) -> dict[str, Any]:
    """Inspect stored files; when that is refused, such as by a quota, they do not stay."""
    try:
        return service.create(stored, name, source, origins or ())
    except BaseException:
        for file in stored:
            service.discard(file.id)
        raise

"""Has the texts of stored documents read by text_child.py in another process, cut into passages."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chassis.base.concurrency import Turns
from chassis.errors import StorageFull
from chassis.files import text_child
from chassis.files.incoming import FULL
from chassis.files.model import StoredFile
from chassis.files.places import folder_of
from chassis.files.service import local
from chassis.jobs import GiveUp, JobContext, Processes, ProcessFailed
from chassis.settings import Settings, installed
from chassis.wiring import current_settings, current_wiring

TEXT_TYPES = ("text/plain", "text/markdown", "application/pdf")
"""The media types of the documents that `passages` reads."""
AT_ONCE = 2
PDF = "application/pdf"
NO_PDFS = "this service reads no PDFs, since its extra documents is not installed"
LIMITS = "it could not be read within the limits of memory and time"


class Unreadable(GiveUp):
    """Raised for a document that cannot be used, with a sentence for its owner; the job is not tried again."""


class Readers(Processes):
    """The processes that read documents."""


def passages(file: StoredFile, context: JobContext) -> Iterator[dict[str, Any]]:
    """Yield the passages of a text, a Markdown file or a PDF: `page` (None without pages) and `text`, in order.

    They overlap, have at most 1,200 characters, and end at a paragraph, a sentence or a word. A process reads the
    document within DOCUMENT_SECONDS and DOCUMENT_MEGABYTES. Raises Unreadable for one that is damaged, has no text, or
    more than MAX_DOCUMENT_CHARACTERS, and StorageFull; for PDFs the extra `documents` must be installed.
    """
    folder = folder_of(current_settings())  # where the job `cleanup` finds what a killed process leaves
    with local(file) as path, tempfile.NamedTemporaryFile("r", dir=folder, prefix=".", suffix=".part") as found:
        why = _why_not(path.absolute(), file.kind, found.name, context)
        if why == text_child.FULL:
            raise StorageFull(FULL)
        if why:
            raise Unreadable(f"The document cannot be used: {why}.")
        turns = Turns()
        for line in found:
            turns.give()
            yield json.loads(line)


def _why_not(path: Path, kind: str, target: str, context: JobContext) -> str:
    """Have the passages of a document written to a target; return why it cannot be used, or an empty text."""
    if kind == PDF and not installed("pypdf"):
        return NO_PDFS
    try:
        return str(_readers().ask([str(path), kind, target], context))
    except ProcessFailed:
        return LIMITS


def _readers() -> Readers:
    """Return the application's processes."""
    wiring = current_wiring()
    if Readers not in wiring.kept:
        wiring.kept[Readers] = _made(wiring.settings)
    readers: Readers = wiring.kept[Readers]
    return readers


def _made(settings: Settings) -> Readers:
    limits = (str(settings.max_document_characters), str(settings.document_megabytes))
    return Readers(Path(__file__).parent, "text_child:reader", *limits, most=AT_ONCE, seconds=settings.document_seconds)

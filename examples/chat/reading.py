"""Has documents read by reader.py in another process, and passes on the chunks that it finds."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.features.chat.settings import ChatSettings
from chassis import files
from chassis.base import Turns
from chassis.jobs import GiveUp, JobContext, Processes, ProcessFailed
from chassis.settings import Settings
from chassis.wiring import kept

KINDS = ("text/plain", "text/markdown", "application/pdf")
AT_ONCE = 2
LIMITS = "it could not be read within the limits of memory and time"


class Readers(Processes):
    """The processes that read documents."""


class Unreadable(GiveUp):
    """A document that cannot be used."""


def readers(settings: Settings) -> Readers:
    """Return the processes, with the limits of the settings."""
    own = settings.section(ChatSettings)
    limits = (str(own.chat_document_characters), str(own.chat_parse_megabytes))
    return Readers(Path(__file__).parent, "reader:reader", *limits, most=AT_ONCE, seconds=own.chat_parse_seconds)


def chunks(file: files.StoredFile, context: JobContext) -> Iterator[dict[str, Any]]:
    """Yield the page and the text of each chunk of a document; raise Unreadable with a sentence."""
    with files.local(file) as path, tempfile.NamedTemporaryFile("r", suffix=".jsonl") as found:
        try:
            why = kept(Readers).ask([str(path.absolute()), file.kind, found.name], context)
        except ProcessFailed:
            why = LIMITS
        if why:
            raise Unreadable(f"The document cannot be used: {why}.")
        turns = Turns()
        for line in found:
            turns.give()
            yield json.loads(line)

"""Has documents read by reader.py, a few at a time, and passes on the chunks that it finds."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from app.features.chat.settings import ChatSettings
from chassis.base import Turns
from chassis.errors import AppError
from chassis.wiring import current_settings

KINDS = ("text/plain", "text/markdown", "application/pdf")
READER = Path(__file__).with_name("reader.py")
AT_ONCE = 2
LOOK_SECONDS = 0.05
PIECE_BYTES = 65_536
_places = threading.Semaphore(AT_ONCE)


class Chunk(NamedTuple):
    """A piece of a document, and the page that it is on."""

    page: int | None
    text: str


class Unreadable(AppError):
    """A document that cannot be used."""

    code, status = "document_unreadable", 422


def chunks(file: IO[bytes], kind: str, check: Callable[[], None]) -> Iterator[Chunk]:
    """Yield the chunks of a document; raise Unreadable with a sentence, and whatever `check()` raises meanwhile."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile("w+") as said:
        turns = Turns()
        while piece := file.read(PIECE_BYTES):  # it may come from a bucket
            given.write(piece)
            turns.give()
        given.seek(0)
        with _places:
            _read(given, said, kind, check)
        said.seek(0)
        yield from _lines(said)


def _read(given: IO[bytes], said: IO[str], kind: str, check: Callable[[], None]) -> None:
    own = current_settings().section(ChatSettings)
    limits = (own.chat_document_characters, own.chat_parse_seconds, own.chat_parse_megabytes)
    command = [sys.executable, str(READER), kind, *map(str, limits)]
    process = subprocess.Popen(command, stdin=given, stdout=said, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            check()
            time.sleep(LOOK_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _lines(said: IO[str]) -> Iterator[Chunk]:
    """Yield the chunks; the last line says that they are all, and is missing if the reader was killed."""
    turns, why = Turns(), "it could not be read within the limits of memory and time"
    for line in said:
        turns.give()
        found: dict[str, Any] = json.loads(line) if line.endswith("\n") else {"why": why}
        if "text" not in found:
            why = found.get("why", "")
            break
        yield Chunk(found["page"], found["text"])
    if why:
        raise Unreadable(f"The document cannot be used: {why}.")

"""A stored file, its id, and the name under which it is downloaded."""

import mimetypes
import secrets
import time
import unicodedata
from dataclasses import dataclass
from typing import Any

from chassis.base.times import iso

MOST_NAME = 150  # characters; file systems allow 255 bytes
CUT_NAME = 1_000  # before it is looked at
TIME_DIGITS = 10
ID_LENGTH = 32
NAMELESS = "file"


@dataclass(frozen=True)
class StoredFile:
    """A file as the table describes it; `kind` is its media type by content, `label` tells features' files apart."""

    id: str
    owner: str
    label: str
    name: str
    kind: str
    size: int
    sha256: str
    created_at: float

    def as_dict(self) -> dict[str, Any]:
        """Return the file as APIs show it."""
        shown = ("id", "label", "name", "kind", "size", "sha256")
        return {name: getattr(self, name) for name in shown} | {"created_at": iso(self.created_at)}


def new_id() -> str:
    """Return an id that starts with the time, so that files without a row tell their age, and cannot be guessed."""
    return f"{int(time.time()):0{TIME_DIGITS}x}{secrets.token_hex((ID_LENGTH - TIME_DIGITS) // 2)}"


def made_at(file_id: str) -> float | None:
    """Return the time in an id, or None for names of other files."""
    try:
        return float(int(file_id[:TIME_DIGITS], 16)) if len(file_id) == ID_LENGTH and int(file_id, 16) else None
    except ValueError:
        return None


def safe_name(given: str, kind: str) -> str:
    """Return a name for downloads: the last part of a path, without control characters, with an ending for its kind.

    Characters that change the direction of text are dropped too: they make `exe.txt` out of `txt.exe`.
    """
    last = given[-CUT_NAME:].replace("\\", "/").rpartition("/")[2]
    plain = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C").strip(". ")
    name = plain[:MOST_NAME].strip(". ") or NAMELESS
    fits = mimetypes.guess_type(name)[0] == kind
    return name if fits else f"{name}{mimetypes.guess_extension(kind) or '.bin'}"

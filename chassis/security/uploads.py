"""Uploaded files, whose type is judged by their content."""

import mimetypes
import re

import puremagic
from werkzeug.datastructures import FileStorage

from chassis.base.concurrency import Turns
from chassis.db import db
from chassis.errors import UnsupportedMediaType
from chassis.security import identity, quotas
from chassis.security.quotas import Quota
from chassis.wiring import current_wiring

__all__ = ["allowed_types", "kind_of", "read"]

QUOTA = "uploads"
UNKNOWN = "application/octet-stream"
UTF8_BOM, UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
NOT_IN_TEXT = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r\x1b"})
CONTROL = re.compile(b"[" + re.escape(NOT_IN_TEXT) + b"]")
MARKUP = re.compile(rb"(?:\xef\xbb\xbf|\s)*+<[!?a-z]", re.IGNORECASE)
SNIFFED_BYTES = 4_096


def read(file: FileStorage, accept: tuple[str, ...], *, counted: bool = True) -> bytes:
    """Return the content of an uploaded file, and count it towards the quota of uploads unless `counted` is false.

    Raises UnsupportedMediaType when it is of no type in `accept`, and OverQuota. Where UPLOAD_TYPES is set, other types
    are refused whatever a route accepts.
    """
    turns = Turns()
    data: bytes = file.read()
    turns.give()
    allowed = [kind for kind in accept if kind in allowed_types()]
    found = kind_of(data, file.filename or "")
    turns.give()
    if found not in allowed:
        why = f"The file's content is {found}"
        if found == UNKNOWN and _kind_of_name(file.filename or "").startswith("text/"):
            why = _why_no_text(data)
        raise UnsupportedMediaType(f"{why}; accepted types: {' or '.join(allowed) or 'none'}.")
    owner = identity.current().owner
    if owner and counted:
        db.write(lambda conn: quotas.take(conn, owner, **{QUOTA: 1}))
    return data


def allowed_types() -> tuple[str, ...]:
    """Return the accepted media types: those of UPLOAD_TYPES, and unless that is set, those that features add."""
    wiring = current_wiring()
    listed = tuple(wiring.settings.upload_types)
    return listed if "upload_types" in wiring.settings.model_fields_set else (*listed, *wiring.upload_types)


def kind_of(data: bytes, name: str) -> str:
    """Return the media type of a file by its content; the name only tells kinds of text apart.

    A text may start with the two letters of a binary format, so the check for text comes first.
    """
    if _is_text(data):
        return kind_of_text(data[:SNIFFED_BYTES], name)
    try:
        found = puremagic.from_string(data[:SNIFFED_BYTES], mime=True)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    return UNKNOWN if not found or found.startswith("text/") else found


def _is_text(data: bytes) -> bool:
    """Return whether the data contains no byte that text cannot; UTF-16 and old encodings are text too."""
    if not data.startswith(UTF16_BOMS):
        return data.translate(None, NOT_IN_TEXT) == data
    try:
        return "\x00" not in data.decode("utf-16")
    except UnicodeDecodeError:
        return False


def _why_no_text(data: bytes) -> str:
    """Return the line of the first character that text cannot contain."""
    if data.startswith(UTF16_BOMS):
        return "The file starts as UTF-16 but is not"
    found = CONTROL.search(data)
    if found is None:
        return "The file is not text"
    line = data.count(b"\n", 0, found.start()) + 1
    return f"Line {line} contains the control character U+{ord(found[0]):04X}, so the file is not text"


def kind_of_text(start: bytes, name: str) -> str:
    """Return the media type of a text by its first bytes and its name."""
    if start.startswith(UTF16_BOMS):
        start = start.decode("utf-16", "ignore").encode("utf-8", "ignore")
    start = start.removeprefix(UTF8_BOM)
    if MARKUP.match(start):
        return "text/html"
    if start.startswith(b"#!"):
        return "text/x-script"
    if start.startswith(b"%PDF-"):
        return "application/pdf"
    named = _kind_of_name(name)
    return named if named.startswith("text/") and named != "text/html" else "text/plain"


def _kind_of_name(name: str) -> str:
    """Return the media type that the ending of a name stands for, or ""; Python 3.13 fails for `//[`, as in a URL."""
    return mimetypes.guess_type(name.replace("\\", "/").rpartition("/")[2])[0] or ""


quotas.declare(Quota(QUOTA, "uploads per day", lambda settings: settings.quota_uploads_per_day))

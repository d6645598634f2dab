"""Reads documents and cuts their texts into passages, in a process that imports nothing of the application.

A hostile document takes only this process with it: memory and time are limited.
"""

import errno
import json
import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

PASSAGE_CHARACTERS, OVERLAP_CHARACTERS = 1_200, 150
MOST_PAGES = 5_000
CHARACTER_BYTES = 4  # at most
TOO_LONG = "it has more than {:,} characters of text"
ENDS = ("\n\n", "\n", ". ", "? ", "! ", "; ", " ")  # where a passage may end, the best first
SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\n{3,}")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DAMAGED = "it is damaged, or not really of its type"
FULL, FULL_DISK = "full", (errno.ENOSPC, errno.EDQUOT)
Pages = Iterator[tuple[int | None, str]]


class Refused(Exception):
    """Raised for a document that cannot be used; the message says why."""


def reader(characters: str, megabytes: str) -> Callable[[list[str]], str]:
    """Return the function that reads documents, within limits of memory and of characters."""
    if sys.platform == "linux":  # macOS does not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (int(megabytes) * 1_000_000,) * 2)
    return lambda order: read(*order, most=int(characters))


def read(path: str, kind: str, target: str, *, most: int) -> str:
    """Write a line of JSON for each passage into the target; return why the document cannot be used, "full", or ""."""
    try:
        with Path(path).open("rb") as file, Path(target).open("w", encoding="utf-8") as found:
            for page, text in passages(pages(file, kind, most), most):
                found.write(json.dumps({"page": page, "text": text}) + "\n")
    except Refused as error:
        return str(error)
    except MemoryError:
        os._exit(1)  # the next document gets a process whose memory is free
    except OSError as error:
        return FULL if error.errno in FULL_DISK else DAMAGED
    except Exception:  # of a parser that meets what its author did not think of
        return DAMAGED
    return ""


def pages(file: IO[bytes], kind: str, most: int) -> Pages:
    """Yield the number and the text of each page; a text is one page without a number.

    Raises Refused for a text that has more than `most` characters, without reading all of it.
    """
    if kind != "application/pdf":
        data = file.read(most * CHARACTER_BYTES + 1)
        if len(data) > most * CHARACTER_BYTES:
            raise Refused(TOO_LONG.format(most))
        yield None, data.decode("utf-16" if data.startswith(UTF16) else "utf-8-sig", "replace")
        return
    from pypdf import PdfReader

    document = PdfReader(file)
    if document.is_encrypted and not document.decrypt(""):
        raise Refused("it needs a password")
    if len(document.pages) > MOST_PAGES:
        raise Refused(f"it has more than {MOST_PAGES:,} pages")
    for number, page in enumerate(document.pages, start=1):
        yield number, page.extract_text()


def passages(found: Pages, most: int) -> Pages:
    """Yield the passages of all pages; raise Refused above `most` characters, and when there is no text."""
    characters = 0
    for page, text in found:
        plain = tidied(text)
        if (characters := characters + len(plain)) > most:
            raise Refused(TOO_LONG.format(most))
        for passage in cut(plain):
            yield page, passage
    if not characters:
        raise Refused("it contains no text; pictures of text cannot be read")


def tidied(text: str) -> str:
    """Return the text with single spaces, without what a database cannot store."""
    clean = text.replace("\x00", "\ufffd").encode(errors="replace").decode()
    return LINES.sub("\n\n", SPACES.sub(" ", clean.replace("\r\n", "\n"))).strip()


def cut(text: str) -> Iterator[str]:
    """Yield overlapping pieces of a text that end at a paragraph, a sentence or a word."""
    start = 0
    while start < len(text):
        end = start + PASSAGE_CHARACTERS
        if end < len(text):
            middle = start + PASSAGE_CHARACTERS // 2
            places = (text.rfind(mark, middle, end) + len(mark) for mark in ENDS if mark in text[middle:end])
            end = next(places, end)
        if piece := text[start:end].strip():
            yield piece
        if end >= len(text):
            return
        start = end - OVERLAP_CHARACTERS
        start = text.find(" ", start, end) + 1 or start

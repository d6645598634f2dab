"""Reads a document and cuts it into chunks, in a process of its own, which imports nothing of the application.

`python reader.py KIND CHARACTERS SECONDS MEGABYTES` reads standard input, and writes a line of JSON for each chunk, or
`{"why": ...}`. A hostile document takes only this process with it: memory and processor time are limited.
"""

import json
import re
import resource
import sys
from collections.abc import Iterator
from typing import IO

CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 1_200, 150
MOST_PAGES = 5_000
ENDS = ("\n\n", "\n", ". ", "? ", "! ", "; ", " ")  # where a chunk may end, the best first
SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\n{3,}")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
Pages = Iterator[tuple[int | None, str]]


class Refused(Exception):
    """Raised for a document that cannot be used; the message says why."""


def main(kind: str, characters: int, seconds: int, megabytes: int) -> None:
    """Write the chunks of the document."""
    if sys.platform == "linux":  # macOS does not know the former
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000, megabytes * 1_000_000))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        for page, text in chunks(pages(sys.stdin.buffer, kind), characters):
            say({"page": page, "text": text})
        say({})
    except Refused as error:
        say({"why": str(error)})
    except Exception:  # of a parser that meets what its author did not think of
        say({"why": "it is damaged, or not really of its type"})


def say(line: dict[str, object]) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps(line) + "\n")


def pages(file: IO[bytes], kind: str) -> Pages:
    """Yield the number and the text of each page; a text is one page without a number."""
    if kind != "application/pdf":
        data = file.read()
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


def chunks(found: Pages, most: int) -> Iterator[tuple[int | None, str]]:
    """Yield the chunks of all pages; raise Refused above `most` characters, and when there is no text."""
    characters = 0
    for page, text in found:
        plain = tidied(text)
        if (characters := characters + len(plain)) > most:
            raise Refused(f"it has more than {most:,} characters of text")
        for chunk in cut(plain):
            yield page, chunk
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
        end = start + CHUNK_CHARACTERS
        if end < len(text):
            middle = start + CHUNK_CHARACTERS // 2
            places = (text.rfind(mark, middle, end) + len(mark) for mark in ENDS if mark in text[middle:end])
            end = next(places, end)
        if piece := text[start:end].strip():
            yield piece
        if end >= len(text):
            return
        start = end - OVERLAP_CHARACTERS
        start = text.find(" ", start, end) + 1 or start


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

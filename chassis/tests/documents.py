"""Reads the command blocks of the documents, so that tests run the commands that a reader is told to run."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?<=\n\n)((?: {4}[^\n]*\n|\n(?= {4}))+)")
LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")


def links(document: str) -> list[str]:
    """Return the relative links of a document."""
    return LINK.findall(FENCED.sub("", (ROOT / document).read_text()))


def anchors(text: str) -> set[str]:
    """Return what links to a document can name: its headings, as websites write them, and its own anchors."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in headings} | set(
        re.findall(r'<a id="([\w-]+)">', text)
    )


def blocks(document: str, heading: str | None = None) -> list[str]:
    """Return the indented or fenced blocks of a document, or of its section under a heading, in order."""
    text = (ROOT / document).read_text()
    text = section(text, heading) if heading is not None else text
    found = [*FENCED.finditer(text), *INDENTED.finditer(text)]
    return [textwrap.dedent(block[1]) for block in sorted(found, key=lambda block: block.start())]


def sections(document: str) -> list[str]:
    """Return the headings that are directly above a block of commands."""
    text = (ROOT / document).read_text()
    headings = list(
        re.finditer(r"^#+ (.*)\n", FENCED.sub(lambda block: block[0].replace("#", " "), text), re.MULTILINE)
    )
    bounds = [*(heading.start() for heading in headings[1:]), len(text)]
    parts = [(heading[1], text[heading.end() - 1 : end]) for heading, end in zip(headings, bounds, strict=True)]
    return [name for name, part in parts if FENCED.search(part) or INDENTED.search(part)]


def section(text: str, heading: str) -> str:
    """Return the text under a heading, up to the next one of its level or above; raise KeyError without one."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    if found is None:
        raise KeyError(heading)
    rest = text[found.end() - 1 :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest

"""The tables in chassis/docs/security.md."""

import re
from typing import Any

from chassis.tests.security.attack.ceiling.limits import KEY, STRANGER
from chassis.tests.servers import ROOT

DOCUMENT = ROOT / "chassis/docs/security.md"
BEGIN, END = "<!-- measured: python -m chassis.tests.security.attack.ceiling --write -->\n", "<!-- measured: end -->"
HEAD = (
    "| route or event | anybody: ms | MB | ms on the wire | at worst by | with a key: held ms | at worst by |\n"
    "|---|---|---|---|---|---|---|\n"
)
FRAMES = "| what surrounds a request | ms | MB | answer |\n|---|---|---|---|\n"
NAMED = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
Row = dict[str, Any]


def written(inside: list[Row], sent: list[Row], framed: list[Row]) -> str:
    """Return both tables."""
    by = {(row["who"], row["row"]): row for row in inside}
    wire = {row["row"]: row for row in sent}
    names = dict.fromkeys(row["row"] for row in inside)
    lines = [_line(name, by.get((STRANGER, name)), wire.get(name), by.get((KEY, name))) for name in names]
    frames = [f"| {row['row']} | {row['ms']} | {max(row['mb'], 0)} | {row['status'] or 'closed'} |" for row in framed]
    return HEAD + "\n".join(lines) + "\n\n" + FRAMES + "\n".join(frames) + "\n"


def write(text: str) -> None:
    """Put the tables into the document."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.partition(END)[2])


def named() -> set[str]:
    """Return the rows that the document has."""
    return set(NAMED.findall(DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]))


def _line(name: str, stranger: Row | None, wire: Row | None, key: Row | None) -> str:
    one, other = stranger or {}, key or {}
    cells = [f"`{name}`", one.get("ms", "-"), one.get("mb", "-"), (wire or {}).get("ms", "-"), one.get("input", "-")]
    return "| " + " | ".join(str(cell) for cell in [*cells, other.get("ms", "-"), other.get("input", "-")]) + " |"

"""Downloads: every row in the input's order, streamed so that a large batch is never in memory as a whole."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from app.features.predictions import store
from chassis.db import db
from chassis.web import joined

FIRST_ROWS, MOST_ROWS, CHUNK_CHARACTERS = 10, 500, 250_000
# Text that a spreadsheet evaluates (https://owasp.org/www-community/attacks/CSV_Injection); numbers are harmless. A
# spreadsheet with another separator ends a quoted cell early, so text after a `;`, a tab or a line break may be a
# cell too; there "- " and "+ " start a list item.
NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
FORMULA = re.compile(rf"\ufeff*(?:[\t\r\n]|(?={SIGN})(?!{NUMBER}\Z))")
INNER_FORMULA = re.compile(rf"((?:[;\t]|[\r\n](?![+-][ ]))\ufeff*)(?={SIGN})(?!{NUMBER}(?:[;\t\r\n]|\Z))")


def as_csv(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a CSV: the input columns, then output, status and error; formulas are prefixed with a `'`."""
    return joined(_csv_lines(batch))


def as_json(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a JSON array of objects: input, output, status, error, model."""
    return joined(_json_items(batch))


def _csv_lines(batch: dict[str, Any]) -> Iterator[str]:
    yield line([*batch["columns"], *result_columns(batch["columns"])])
    for row in rows(batch["id"]):
        yield line([*row["input"].values(), row["output"] or "", row["status"], row["error"] or ""])


def result_columns(inputs: list[str]) -> list[str]:
    """Return names for output, status and error that no input column has, so that a download can be uploaded again."""
    taken = set(map(str.strip, inputs))
    found = []
    for name in ("output", "status", "error"):
        number = 1
        while (free := name if number == 1 else f"{name}_{number}") in taken:
            number += 1
        found.append(free)
    return found


def _json_items(batch: dict[str, Any]) -> Iterator[str]:
    separator = "[\n"
    for row in rows(batch["id"]):
        kept = {name: row[name] for name in ("input", "output", "status", "error", "model")}
        yield separator + json.dumps(kept, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n"


def line(fields: list[str]) -> str:
    """Return a line of a CSV with every field in quotes; formulas are prefixed with a `'`."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow([_as_text(field) for field in fields])
    return buffer.getvalue()


def _as_text(field: str) -> str:
    inner = INNER_FORMULA.sub(r"\1'", field)
    return f"'{inner}" if FORMULA.match(field) else inner


def rows(prediction_id: str) -> Iterator[dict[str, Any]]:
    """Yield the rows, read outside of the hub in chunks of about CHUNK_CHARACTERS."""
    offset, limit = 0, FIRST_ROWS
    while chunk := db.read(
        lambda conn: store.page_of_rows(conn, prediction_id, offset=offset, limit=limit),  # noqa: B023
        unbounded=True,
    ):
        yield from chunk
        offset = chunk[-1]["position"] + 1
        a_row = sum(map(_characters, chunk)) / len(chunk)
        limit = max(1, min(MOST_ROWS, round(CHUNK_CHARACTERS / a_row)))


def _characters(row: dict[str, Any]) -> int:
    return 100 + sum(map(len, row["input"].values())) + len(row["output"] or "")

"""Downloads: every row in the input's order, streamed so that a large batch is never in memory whole."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from app.db import db
from app.features.predictions import store

CHUNK = 500
# What a spreadsheet computes (https://owasp.org/www-community/attacks/CSV_Injection); numbers are harmless.
FORMULA = re.compile(r"(?![+-]?\d+(\.\d+)?([eE][+-]?\d+)?\Z)[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def as_csv(batch: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a CSV: the input columns, then output, status, error; what would be a formula gets a `'`."""
    yield line([*batch["columns"], "output", "status", "error"])
    for row in _rows(batch["id"]):
        yield line([*row["input"].values(), row["output"] or "", row["status"], row["error"] or ""])


def as_json(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a JSON array of objects: input, output, status, error, model."""
    separator = "[\n"
    for row in _rows(batch["id"]):
        kept = {name: row[name] for name in ("input", "output", "status", "error", "model")}
        yield separator + json.dumps(kept, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n"


def line(fields: list[str]) -> str:
    """Return a line of a CSV; what would be a formula gets a `'`."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([f"'{field}" if FORMULA.match(field) else field for field in fields])
    return buffer.getvalue()


def _rows(prediction_id: str) -> Iterator[dict[str, Any]]:
    offset = 0
    while chunk := db.read(
        lambda conn, o=offset: store.page_of_rows(conn, prediction_id, offset=o, limit=CHUNK)  # type: ignore[misc]
    ):
        yield from chunk
        offset = chunk[-1]["position"] + 1

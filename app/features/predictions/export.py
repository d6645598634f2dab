"""Downloads: every row in the input's order, streamed so that a large batch is never in memory as a whole."""

from collections.abc import Iterator
from typing import Any

from app.features.predictions import store
from chassis.db import db
from chassis.web import csv_line, joined, json_array

FIRST_ROWS, MOST_ROWS, CHUNK_CHARACTERS = 10, 500, 250_000


def as_csv(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a CSV: the input columns, then output, status and error; formulas are prefixed with a `'`."""
    return joined(_csv_lines(batch))


def as_json(batch: dict[str, Any]) -> Iterator[str]:
    """Yield a JSON array of objects: input, output, status, error, model."""
    return joined(json_array(map(_kept, rows(batch["id"]))))


def _csv_lines(batch: dict[str, Any]) -> Iterator[str]:
    yield csv_line([*batch["columns"], *result_columns(batch["columns"])])
    for row in rows(batch["id"]):
        yield csv_line([*row["input"].values(), row["output"] or "", row["status"], row["error"] or ""])


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


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("input", "output", "status", "error", "model")}


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

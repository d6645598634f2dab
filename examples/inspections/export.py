"""Downloads: every image of an inspection in order, streamed."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from app.features.inspections import store
from app.features.inspections.messages import ImageResponse
from chassis.db import db
from chassis.web import joined

CHUNK = 200
COLUMNS = list(ImageResponse.model_fields)
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")  # https://owasp.org/www-community/attacks/CSV_Injection


def as_csv(inspection_id: str) -> Iterator[str]:
    """Yield a CSV; texts that a spreadsheet would evaluate are prefixed with a `'`."""
    return joined(_lines(inspection_id))


def as_json(inspection_id: str) -> Iterator[str]:
    """Yield a JSON array of objects."""
    return joined(_items(inspection_id))


def _lines(inspection_id: str) -> Iterator[str]:
    yield _line(COLUMNS)
    for row in _rows(inspection_id):
        yield _line([row[name] for name in COLUMNS])


def _items(inspection_id: str) -> Iterator[str]:
    separator = "[\n"
    for row in _rows(inspection_id):
        yield separator + json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False)
        separator = ",\n"
    yield "\n]\n"


def _line(values: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_harmless(value) for value in values])
    return buffer.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def _rows(inspection_id: str) -> Iterator[dict[str, Any]]:
    after = -1
    while chunk := db.read(lambda conn, a=after: store.results(conn, inspection_id, after=a, limit=CHUNK)):  # type: ignore[misc]
        yield from chunk
        after = chunk[-1]["position"]

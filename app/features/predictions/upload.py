"""Parses what a user sends: a CSV file, pasted lines, or rows; every error message names the place.

It is parsed on the hub, in pieces between which other threads run, and one input at a time. A real thread would not be
faster, and would take the interpreter's lock from the hub at each of its calls.
"""

import re
import threading
from collections.abc import Iterable

from app.features.predictions.csv_records import MAX_LINES_PER_ROW, Records, too_many_lines
from app.features.predictions.rows import MAX_VALUE_CHARACTERS, Collector, Rows, no_rows
from chassis.errors import BadRequest

TYPES = ("text/csv", "text/tab-separated-values", "text/plain")
LINES = re.compile(rf"[^\r\n]{{1,{MAX_VALUE_CHARACTERS + 1}}}|[\r\n]{{1,100000}}")  # or the line breaks between them
_reading = threading.Lock()


def read_csv(data: bytes, max_rows: int) -> Rows:
    """Return the rows of a CSV file with a header line; raise BadRequest.

    The encoding is UTF-8, or UTF-16 with a byte order mark. Fields are separated by commas, semicolons, tabs or bars,
    or as a first line such as `sep=;` declares; a header without any of them is a single column of whole lines.
    """
    with _reading:
        records = Records(data, max_rows)
        found = Collector(records.names, max_rows)
        for fields in records:
            found.add(fields, "Line", records.line)
        return found.rows()


def first_row(data: bytes) -> dict[str, str]:
    """Return the first row of a CSV file, which may be cut off, or empty values when there is none."""
    with _reading:
        records = Records(data, max_rows=1)
        return dict(zip(records.names, next(iter(records), [""] * len(records.names)), strict=True))


def read_lines(text: str, max_rows: int) -> Rows:
    """Return one row with the column `text` for each line that is not empty."""
    found, rows = Collector(["text"], max_rows), 0
    with _reading:
        for number, match in enumerate(LINES.finditer(text)):
            if number > MAX_LINES_PER_ROW * (max_rows + 1):
                raise too_many_lines(max_rows)
            line = match[0] if len(match[0]) > MAX_VALUE_CHARACTERS else match[0].strip()
            if line:
                rows += 1
                found.add([line], "Row", rows)
            found.turns.give()
    return found.rows()


def check_rows(rows: Iterable[dict[str, str]], max_rows: int) -> Rows:
    """Return rows received as JSON; all must have the same columns."""
    found: Collector | None = None
    with _reading:
        for number, row in enumerate(rows, start=1):
            found = found or Collector(list(row), max_rows)
            if len(row) != len(found.names) or any(name not in row for name in found.names):
                raise BadRequest(f"Row {number} has different columns from the first row.", code="rows_uneven")
            found.add([row[name] for name in found.names], "Row", number)
    if found is None:
        raise no_rows()
    return found.rows()

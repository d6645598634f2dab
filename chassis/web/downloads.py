"""Downloads: lines of CSV that no spreadsheet evaluates, and arrays of JSON, piece by piece."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# Text that a spreadsheet evaluates (https://owasp.org/www-community/attacks/CSV_Injection); numbers are harmless. A
# spreadsheet with another separator ends a quoted cell early, so text after a `;`, a tab or a line break may be a
# cell too; there "- " and "+ " start a list item.
NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
FORMULA = re.compile(rf"\ufeff*(?:[\t\r\n]|(?={SIGN})(?!{NUMBER}\Z))")
INNER_FORMULA = re.compile(rf"((?:[;\t]|[\r\n](?![+-][ ]))\ufeff*)(?={SIGN})(?!{NUMBER}(?:[;\t\r\n]|\Z))")


def csv_line(values: Iterable[Any]) -> str:
    """Return a line of a CSV with every value in quotes; None is empty, and formulas are prefixed with a `'`."""
    buffer = io.StringIO()
    texts = ["" if value is None else _as_text(str(value)) for value in values]
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow(texts)
    return buffer.getvalue()


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a CSV with these columns of the rows."""
    yield csv_line(columns)
    for row in rows:
        yield csv_line(row[name] for name in columns)


def json_array(items: Iterable[Any]) -> Iterator[str]:
    """Yield a JSON array, an item at a time."""
    separator = "[\n"
    for item in items:
        yield separator + json.dumps(item, ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _as_text(text: str) -> str:
    inner = INNER_FORMULA.sub(r"\1'", text)
    return f"'{inner}" if FORMULA.match(text) else inner

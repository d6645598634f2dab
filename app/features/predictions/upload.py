"""Reads what a user sends: a CSV file, pasted lines, or rows; every mistake becomes a sentence that says where."""

import csv
import io
from collections.abc import Sequence

from app.errors import BadRequest

MAX_VALUE_CHARACTERS = 100_000
TYPES = ("text/csv", "text/tab-separated-values", "text/plain")
DELIMITERS = ",;\t|"
Rows = list[dict[str, str]]


def read_csv(data: bytes, max_rows: int) -> Rows:
    """Return the rows of a CSV file with a header line, in UTF-8; commas, semicolons, tabs or bars between fields."""
    text = _decode(data)
    first_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, fields) for fields in reader if any(field.strip() for field in fields)]
    except csv.Error as error:
        raise BadRequest(f"The CSV is malformed in line {reader.line_num}: {error}.", code="csv_malformed") from None
    if not lines:
        raise BadRequest("The file is empty.", code="csv_empty")
    header = _header([name.strip() for name in lines[0][1]])
    _limit(len(lines) - 1, max_rows)
    return [_row(header, number, fields) for number, fields in lines[1:]]


def read_lines(text: str, max_rows: int) -> Rows:
    """Return one row with the column `text` for each line that is not empty."""
    found = [{"text": line.strip()} for line in text.splitlines() if line.strip()]
    _limit(len(found), max_rows)
    return found


def check_rows(rows: Sequence[dict[str, str]], max_rows: int) -> Rows:
    """Return rows that came as JSON; all must have the same columns."""
    _limit(len(rows), max_rows)
    header = _header(list(rows[0]))
    for number, row in enumerate(rows, start=1):
        if set(row) != set(header):
            raise BadRequest(f"Row {number} has other columns than the first one.", code="rows_uneven")
    return [{name: row[name] for name in header} for row in rows]


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadRequest("The file is in UTF-16: save it as CSV in UTF-8.", code="csv_encoding")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadRequest(f"Line {line} is not UTF-8: save the file as CSV in UTF-8.", code="csv_encoding") from None
    if "\x00" in text:
        raise BadRequest("The file holds binary data; a CSV in UTF-8 is expected.", code="csv_encoding")
    return text


def _header(names: list[str]) -> list[str]:
    if any(not name for name in names) or not names:
        raise BadRequest("A column has no name: the first line must name every column.", code="csv_header")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRequest(f"The column {twice[0]} is there twice.", code="csv_header")
    return names


def _row(header: list[str], number: int, fields: list[str]) -> dict[str, str]:
    if len(fields) != len(header):
        sentence = f"Line {number} has {len(fields)} fields, but the header has {len(header)}."
        raise BadRequest(sentence, code="csv_malformed")
    if any(len(field) > MAX_VALUE_CHARACTERS for field in fields):
        raise BadRequest(f"Line {number} has a value over {MAX_VALUE_CHARACTERS:,} characters.", code="csv_malformed")
    return dict(zip(header, fields, strict=True))


def _limit(number: int, max_rows: int) -> None:
    if number == 0:
        raise BadRequest("There are no rows: at least one is needed below the header.", code="no_rows")
    if number > max_rows:
        raise BadRequest(f"There are {number:,} rows; at most {max_rows:,} are accepted.", code="too_many_rows")

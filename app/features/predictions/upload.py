"""Reads what a user sends: a CSV file, pasted lines, or rows; every mistake becomes a sentence that says where.

It is read on the hub, in pieces between which others run, and one at a time. A real thread would not be faster, and
would take the interpreter's lock from the hub at each of its calls.
"""

import csv
import io
import re
import threading
from collections.abc import Iterable, Iterator

from app.concurrency import Turns
from app.errors import BadRequest
from app.features.predictions.rows import (
    MAX_COLUMNS,
    MAX_ROW_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    Collector,
    Rows,
    no_rows,
    too_many_columns,
)

TYPES = ("text/csv", "text/tab-separated-values", "text/plain")
DELIMITERS = ",;\t|"
MAX_RECORD_CHARACTERS = MAX_ROW_CHARACTERS  # also over several lines, and with its quotes
MAX_LINES_PER_ROW = 50  # of a file, over all: blank lines, and those within quotes
LINES = re.compile(rf"[^\r\n]{{1,{MAX_VALUE_CHARACTERS + 1}}}|[\r\n]{{1,100000}}")  # or what is between them
_reading = threading.Lock()


def read_csv(data: bytes, max_rows: int) -> Rows:
    """Return the rows of a CSV file with a header line, in UTF-8; commas, semicolons, tabs or bars between fields."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadRequest("The file is in UTF-16: save it as CSV in UTF-8.", code="csv_encoding")
    lines = _Lines(data, max_rows)
    try:
        with _reading:
            return _rows_of(lines, max_rows)
    except csv.Error as error:
        raise BadRequest(f"The CSV is malformed in line {lines.number}: {error}.", code="csv_malformed") from None
    except UnicodeDecodeError:
        line = _line_that_is_not_utf8(data)
        raise BadRequest(f"Line {line} is not UTF-8: save the file as CSV in UTF-8.", code="csv_encoding") from None


def read_lines(text: str, max_rows: int) -> Rows:
    """Return one row with the column `text` for each line that is not empty."""
    found, rows = Collector(["text"], max_rows), 0
    with _reading:
        for number, match in enumerate(LINES.finditer(text)):
            if number > MAX_LINES_PER_ROW * (max_rows + 1):
                raise _too_many_lines(max_rows)
            line = match[0] if len(match[0]) > MAX_VALUE_CHARACTERS else match[0].strip()
            if line:
                rows += 1
                found.add([line], "Row", rows)
            found.turns.give()
    return found.rows()


def check_rows(rows: Iterable[dict[str, str]], max_rows: int) -> Rows:
    """Return rows that came as JSON; all must have the same columns."""
    found: Collector | None = None
    with _reading:
        for number, row in enumerate(rows, start=1):
            found = found or Collector(list(row), max_rows)
            if len(row) != len(found.names) or any(name not in row for name in found.names):
                raise BadRequest(f"Row {number} has other columns than the first one.", code="rows_uneven")
            found.add([row[name] for name in found.names], "Row", number)
    if found is None:
        raise no_rows()
    return found.rows()


class _Lines:
    """The lines of a file, decoded as they are asked for; a row that never ends does not become one."""

    def __init__(self, data: bytes, max_rows: int) -> None:
        self._text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
        self._turns, self._max_rows = Turns(), max_rows
        self._record_characters = self.number = 0
        self._first = ""

    def first(self) -> str:
        """Return the first line that is not empty."""
        while (line := self._read()).strip("\r\n") == "" and line:
            pass
        self._first = line
        return line

    def begin_record(self) -> None:
        """Note that the next line begins a row."""
        self._record_characters = 0

    def __iter__(self) -> Iterator[str]:
        line = self._first
        while line:
            self._record_characters += len(line)
            if self._record_characters > MAX_RECORD_CHARACTERS:
                sentence = f"The row at line {self.number} is over {MAX_RECORD_CHARACTERS:,} characters."
                raise BadRequest(sentence, code="csv_malformed")
            yield line
            line = self._read()

    def _read(self) -> str:
        line = self._text.readline(MAX_RECORD_CHARACTERS + 1)
        self.number += bool(line)
        if self.number > MAX_LINES_PER_ROW * (self._max_rows + 1):
            raise _too_many_lines(self._max_rows)
        if "\x00" in line:
            raise BadRequest("The file holds binary data; a CSV in UTF-8 is expected.", code="csv_encoding")
        self._turns.give()
        return line


def _rows_of(lines: _Lines, max_rows: int) -> Rows:
    delimiter = max(DELIMITERS, key=lines.first().count)
    records = _records(lines, delimiter)
    header = next(records, None)
    if header is None:
        raise BadRequest("The file is empty.", code="csv_empty")
    if len(header) > MAX_COLUMNS:
        raise too_many_columns()
    found = Collector([name.strip() for name in header], max_rows)
    for fields in records:
        found.add(fields, "Line", lines.number)
    return found.rows()


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    """Yield the fields of each row that is not blank."""
    for fields in csv.reader(lines, delimiter=delimiter, strict=True):
        lines.begin_record()
        if any(map(str.strip, fields)):
            yield fields


def _line_that_is_not_utf8(data: bytes) -> int:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 0


def _too_many_lines(max_rows: int) -> BadRequest:
    most = MAX_LINES_PER_ROW * (max_rows + 1)
    sentence = f"There are more than {most:,} lines, which are too many for {max_rows:,} rows."
    return BadRequest(sentence, code="too_many_rows")

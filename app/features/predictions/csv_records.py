"""Reads the records of a CSV file as spreadsheets write it, one by one; every error names the line."""

import csv
import io
import re
from collections.abc import Iterator

from app.features.predictions.rows import MAX_COLUMNS, MAX_ROW_CHARACTERS, check_names, listed, too_many_columns
from chassis.base import Turns
from chassis.errors import BadRequest

MAX_RECORD_CHARACTERS = MAX_ROW_CHARACTERS  # over all of its lines, quotes included
MAX_LINES_PER_ROW = 50  # on average over a file: blank lines, and lines within quotes
DELIMITERS, NONE = ",;\t|", "\ud800"  # a lone surrogate, which no decoded text contains
NO_DELIMITERS = '"\r\n'  # newer versions of Python raise ValueError for them
SEPARATOR = re.compile(r'("?)sep=(.)\1[\r\n]*', re.IGNORECASE)  # a first line written for Excel
QUOTED = re.compile(r'"[^"]*"?')
UTF16 = (b"\xff\xfe", b"\xfe\xff")
SHOWN_LINES = 10


class Records:
    """The fields of each row that is not blank, one for each name in the header.

    Missing cells at the end of a row are empty; empty cells beyond the header's are ignored.
    """

    def __init__(self, data: bytes, max_rows: int) -> None:
        """Read the header; raise BadRequest when it is missing, or its names cannot be used."""
        self.lines = _Lines(data, max_rows)
        self.line = 1  # where the current record begins
        self._records = self._read(self.lines.delimiter())
        header = next(self._records, None)
        if header is None:
            raise BadRequest("The file is empty.", code="csv_empty")
        names = [name.strip() for name in header]
        while names and not names[-1]:
            names.pop()
        self.names = check_names(names)

    def __iter__(self) -> Iterator[list[str]]:
        wanted, longer = len(self.names), list[int]()
        for fields in self._records:
            if any(map(str.strip, fields[wanted:])):
                longer.append(self.line)
                if len(longer) > SHOWN_LINES:
                    break
            elif not longer:
                yield [*fields[:wanted], *[""] * (wanted - len(fields))]
        if longer:
            where = listed([str(line) for line in longer], SHOWN_LINES)
            sentence = f"Rows with more fields than the header's {wanted} start on line {where}."
            raise BadRequest(sentence, code="csv_malformed")

    def _read(self, delimiter: str) -> Iterator[list[str]]:
        """Yield the fields of each record that is not blank."""
        reader = csv.reader(self.lines, delimiter=delimiter, strict=True)
        while True:
            self.line = self.lines.begin_record()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._malformed(error) from None
            if len(fields) > MAX_COLUMNS and any(map(str.strip, fields[MAX_COLUMNS:])):
                raise too_many_columns()
            if any(map(str.strip, fields)):
                yield fields

    def _malformed(self, error: csv.Error) -> BadRequest:
        if "unexpected end" in str(error):
            sentence = f"The row that starts on line {self.line} has an unclosed quote."
        elif "expected after" in str(error):
            sentence = f"Line {self.lines.number} has an undoubled quote within a field"
            sentence += f", or the row that starts on line {self.line} has an unclosed quote."
        else:
            sentence = f"The CSV is malformed on line {self.lines.number}: {error}."
        return BadRequest(sentence, code="csv_malformed")


class _Lines:
    """The lines of a file, decoded on demand; an endless row is refused before it is in memory."""

    def __init__(self, data: bytes, max_rows: int) -> None:
        self._data, self._encoding = data, "utf-16" if data.startswith(UTF16) else "utf-8-sig"
        self._text = io.TextIOWrapper(io.BytesIO(data), self._encoding, newline="")
        self._turns, self._max_rows = Turns(), max_rows
        self._record_characters = self.number = 0
        self._next = self._first()

    def delimiter(self) -> str:
        """Return the delimiter: the one that the first line declares, or the most frequent one in the header."""
        if said := SEPARATOR.fullmatch(self._next):
            self._next = self._first()
            if said[2] not in NO_DELIMITERS:
                return said[2]
        unquoted = QUOTED.sub("", self._next)
        most = max(DELIMITERS, key=unquoted.count)
        return most if most in unquoted else NONE

    def begin_record(self) -> int:
        """Start a new record at the next line; return the line's number."""
        self._record_characters = 0
        return self.number + (not self._next)

    def __iter__(self) -> Iterator[str]:
        while line := self._next or self._read():
            self._next = ""
            self._record_characters += len(line)
            if self._record_characters > MAX_RECORD_CHARACTERS:
                sentence = f"The row on line {self.number} is longer than {MAX_RECORD_CHARACTERS:,} characters."
                raise BadRequest(sentence, code="csv_malformed")
            yield line

    def _first(self) -> str:
        """Return the next line that is not empty."""
        while (line := self._read()).strip("\r\n") == "" and line:
            pass
        return line

    def _read(self) -> str:
        try:
            line = self._text.readline(MAX_RECORD_CHARACTERS + 1)
        except UnicodeDecodeError:
            raise BadRequest(self._undecodable(), code="csv_encoding") from None
        self.number += bool(line)
        if self.number > MAX_LINES_PER_ROW * (self._max_rows + 1):
            raise too_many_lines(self._max_rows)
        if "\x00" in line:
            sentence = f"Line {self.number} contains a null character: save the file as CSV in UTF-8."
            raise BadRequest(sentence, code="csv_encoding")
        self._turns.give()
        return line

    def _undecodable(self) -> str:
        if self._encoding == "utf-16":
            return "The file starts as UTF-16 but is not valid UTF-16: save it as CSV in UTF-8."
        try:
            self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._data.count(b"\n", 0, error.start) + 1
            return f"Line {line} is not UTF-8: save the file as CSV in UTF-8."
        return "The file is not UTF-8."


def too_many_lines(max_rows: int) -> BadRequest:
    """Return the error for a file that is mostly blank lines, or quotes over many lines."""
    most = MAX_LINES_PER_ROW * (max_rows + 1)
    sentence = f"The file has more than {most:,} lines, too many for {max_rows:,} rows."
    return BadRequest(sentence, code="too_many_rows")

"""Reads a batch from JSON row by row: excess is refused before it is built, and other threads run in between.

A parser for whole documents builds a million nested lists before they can be checked, which blocks everything for half
a second. Here strings are read by the standard library's scanner, and values cannot be nested.
"""

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # it exists since Python 2.6
from typing import Any

from app.features.predictions import upload
from app.features.predictions.rows import MAX_COLUMNS, MAX_NAME_CHARACTERS, Rows, too_many_columns
from chassis.errors import BadRequest
from chassis.web import INVALID_BODY

SPACE = re.compile(r"[ \t\n\r]*")
ATOM = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
MAX_FIELDS = 20  # in addition to the rows


def read(text: str, max_rows: int) -> tuple[dict[str, Any], Rows]:
    """Return the fields of a JSON object except `rows`, and its rows; raise BadRequest."""
    found, fields, rows = _Scanner(text), dict[str, Any](), None
    for name in found.names():
        if name == "rows" and rows is None:
            rows = upload.check_rows(found.rows(), max_rows)
        elif len(fields) >= MAX_FIELDS or name in fields or name == "rows":
            raise BadRequest("The body has too many fields, or a duplicate field.", code=INVALID_BODY)
        else:
            fields[name] = found.field()
    found.end()
    if rows is None:
        raise BadRequest("rows: Field required.", code=INVALID_BODY)
    return fields, rows


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def names(self) -> Iterator[str]:
        """Yield the names of an object; the caller reads the value after each."""
        self._expect("{", "an object")
        if self._takes("}"):
            return
        while True:
            name = self._string()
            self._expect(":", "a colon")
            yield name
            if self._takes(","):
                continue
            self._expect("}", "a comma or a closing brace")
            return

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the objects of an array."""
        self._expect("[", "an array of rows")
        if self._takes("]"):
            return
        while True:
            yield self._row()
            if self._takes(","):
                continue
            self._expect("]", "a comma or a closing bracket")
            return

    def field(self) -> str | None:
        """Return a string, or None for a value of another kind."""
        if self._next() == '"':
            return self._string()
        self._atom()
        return None

    def end(self) -> None:
        """Raise BadRequest unless the document ends here."""
        if self._next():
            raise self._refusal("the end")

    def _row(self) -> dict[str, str]:
        row = dict[str, str]()
        for name in self.names():
            if name in row:
                raise BadRequest(f"The column {name[:MAX_NAME_CHARACTERS]} appears twice.", code=INVALID_BODY)
            if len(row) == MAX_COLUMNS:
                raise too_many_columns()
            row[name] = self._string() if self._next() == '"' else self._atom()
        return row

    def _string(self) -> str:
        if self._next() != '"':
            raise self._refusal("a quoted string")
        try:
            found, self._at = scanstring(self._text, self._at + 1, True)
        except json.JSONDecodeError as error:
            raise BadRequest(f"Invalid JSON: {error}.", code=INVALID_BODY) from None
        if "\x00" in found or not _is_whole(found):
            raise BadRequest("The body contains a character that cannot be stored.", code=INVALID_BODY)
        return str(found)

    def _atom(self) -> str:
        """Return a number or a boolean as it is written, and null as an empty string."""
        self._next()
        match = ATOM.match(self._text, self._at)
        if match is None:
            raise self._refusal("a string, a number, true, false or null")
        self._at = match.end()
        return "" if match[0] == "null" else match[0]

    def _next(self) -> str:
        self._at = SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it always matches
        return self._text[self._at : self._at + 1]

    def _takes(self, character: str) -> bool:
        if self._next() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str, words: str) -> None:
        if not self._takes(character):
            raise self._refusal(words)

    def _refusal(self, expected: str) -> BadRequest:
        line = self._text.count("\n", 0, self._at) + 1
        return BadRequest(f"Invalid JSON on line {line}: expected {expected}.", code=INVALID_BODY)


def _is_whole(text: str) -> bool:
    """Return whether a text has no unpaired surrogate."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False

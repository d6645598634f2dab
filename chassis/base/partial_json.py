"""Reads single members of a large JSON object in turns: what is nested in the others is skipped, and never built.

A parser of whole documents makes a million objects of 3 MB of brackets, which blocks everything for a second.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from chassis.base.concurrency import Turns
from chassis.base.texts import excerpt

MAX_MEMBERS, MAX_NESTED = 1_000, 100_000  # of the object; lists and objects in a member
PARSED_CHARACTERS = 50_000  # a longer value is returned unread
SHOWN_CHARACTERS = 50  # of a name
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
SPACE = re.compile(r"[ \t\n\r]*+")
NAME = re.compile(STRING, re.DOTALL)
ATOM = re.compile(r'[^\s,:"\[\]{}]++')
NESTED = re.compile(rf'(?:[^"\[\]{{}}]{{1,65536}}+|{STRING}){{0,1000}}+([\[\]{{}}]?)', re.DOTALL)


class Unread(str):
    """The JSON of a value that is too long to be parsed at once."""


def json_members(text: str, names: Collection[str]) -> dict[str, Any]:
    """Return the values of these members of a JSON object; one of over 50,000 characters is `Unread`.

    Of the others only the ends are looked for, so the whole may still not be JSON. Raises ValueError when the text is
    no object, a name is there twice, or it has over 1,000 members or 100,000 lists and objects in one of them.
    """
    found, seen, scanner = dict[str, Any](), set[str](), _Scanner(text)
    for raw, begin, end in scanner.members():
        name = str(_parsed(raw))
        if name in seen:
            raise ValueError(f"it has the name {excerpt(name, SHOWN_CHARACTERS)} twice")
        if len(seen) == MAX_MEMBERS:
            raise ValueError(f"it has more than {MAX_MEMBERS:,} names")
        seen.add(name)
        if name in names:
            found[name] = _parsed(text[begin:end]) if end - begin <= PARSED_CHARACTERS else Unread(text[begin:end])
        scanner.turns.give()
    return found


def json_length(text: str) -> int:
    """Return the number of values in a JSON list; raise ValueError for other texts."""
    return sum(1 for _ in _Scanner(text).items())


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at, self.turns = text, 0, Turns()

    def members(self) -> Iterator[tuple[str, int, int]]:
        """Yield the name of each member as it is written, and where its value begins and ends."""
        for _ in self._between("{", "}"):
            name = self._matched(NAME)
            self._expect(":")
            begin = self._at
            self._value()
            yield name, begin, self._at

    def items(self) -> Iterator[None]:
        """Yield once for each value of a list."""
        for _ in self._between("[", "]"):
            self._value()
            self.turns.give()
            yield

    def _between(self, begin: str, end: str) -> Iterator[None]:
        """Yield before each part of the whole, which ends with the text."""
        self._expect(begin)
        if not self._takes(end):
            yield
            while self._takes(","):
                self._next()
                yield
            self._expect(end)
        if self._next():
            raise ValueError("something follows its end")

    def _value(self) -> None:
        first = self._next()
        if first in ("[", "{"):
            self._nested()
        else:
            self._matched(NAME if first == '"' else ATOM)

    def _nested(self) -> None:
        """Pass a list or an object; whether its brackets fit one another is left to others."""
        depth = number = 0
        while True:
            bracket = self._matched(NESTED, 1)
            if bracket in ("[", "{"):
                depth, number = depth + 1, number + 1
            elif bracket:
                depth -= 1
            if number > MAX_NESTED:
                raise ValueError(f"it has more than {MAX_NESTED:,} lists and objects")
            if bracket and depth == 0:
                return
            self.turns.give()

    def _matched(self, pattern: re.Pattern[str], group: int = 0) -> str:
        match = pattern.match(self._text, self._at)
        if match is None or match.end() == self._at:
            raise ValueError(f"it breaks off at character {self._at:,}")
        self._at = match.end()
        return match[group]

    def _next(self) -> str:
        self._at = SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it always matches
        return self._text[self._at : self._at + 1]

    def _takes(self, character: str) -> bool:
        if self._next() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._takes(character):
            raise ValueError(f"{character} is missing at character {self._at:,}")
        self._next()

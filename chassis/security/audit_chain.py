"""The audit log as a hash chain: each entry's hash covers the entry and the hash of the previous one.

An entry in the middle therefore cannot be changed, removed or inserted without breaking the chain. A user with write
access to the database can recompute the whole chain; comparing it with a head (the last number and hash) that was
stored elsewhere reveals that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.errors import AppError, BadRequest

CONTENT = ("at", "actor", "action", "target", "address", "result")
BEGINNING = "0" * 64  # the previous hash of the first entry
Entry = Mapping[str, Any]


class ChainBroken(AppError):
    """The audit log was changed after it was written; the message names the first broken entry."""

    code = "audit_chain_broken"


@dataclass(frozen=True)
class Head:
    """The last entry of a chain, as `number:hash`."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Return the head in a text; raise BadRequest when it is malformed."""
        number, _, hashed = text.strip().partition(":")
        if not number.isdecimal() or not number.isascii() or len(hashed) != len(BEGINNING):
            raise BadRequest("A head is a number, a colon and 64 hexadecimal digits, as `flask audit head` prints it.")
        return cls(int(number), hashed)

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def hash_of(number: int, previous: str, entry: Entry) -> str:
    """Return an entry's hash: SHA-256 of a JSON list of the previous hash, the number and the entry's fields."""
    content = [previous, number, float(entry["at"]), *(entry[name] for name in CONTENT[1:])]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def check(entries: Iterable[Entry], *, first: int | None = None, known: Head | None = None) -> Head | None:
    """Return the last of the entries, which are in order, or None without any; raise ChainBroken at a broken one.

    `first` is the number of the first entry; `known` is a head that was stored elsewhere.
    """
    last: Head | None = None
    for entry in entries:
        expected = first if last is None else last.number + 1
        _check_place(entry, expected, last)
        _check_known(entry, known if known and (last is None or known.number > last.number) else None)
        last = Head(entry["number"], entry["hash"])
    if known is not None and known.number > (last.number if last else 0):
        behind = f"after entry {last.number}" if last else "at its beginning"
        raise ChainBroken(f"The log is truncated {behind}: entry {known.number} is missing.")
    return last


def check_end(last: Head | None, end: Head, *, first: int) -> None:
    """Raise ChainBroken when the last entry is not the log's end; `first` is the first number that the log holds."""
    number = last.number if last else first - 1
    if number < end.number:
        raise ChainBroken(f"The log is truncated: {_numbers(number + 1, end.number)} missing.")
    if number > end.number:
        raise ChainBroken(f"Entry {end.number + 1} is after the end of the log: the application did not write it.")
    if last is not None and last.hash != end.hash:
        raise ChainBroken(f"Entry {number} and its hash were changed.")


def _numbers(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _check_place(entry: Entry, expected: int | None, last: Head | None) -> None:
    number = entry["number"]
    if expected is not None and number > expected:
        raise ChainBroken(f"Before entry {number} {_numbers(expected, number - 1)} missing.")
    if expected is not None and number < expected:
        raise ChainBroken(f"Entry {number} is out of order: entry {expected} was expected.")
    if hash_of(number, entry["previous"], entry) != entry["hash"]:
        raise ChainBroken(f"Entry {number} was changed.")
    if last is not None and entry["previous"] != last.hash:
        raise ChainBroken(f"Entry {number} does not follow entry {last.number}: one of them was replaced.")


def _check_known(entry: Entry, known: Head | None) -> None:
    if known is None:
        return
    if known.number < entry["number"]:
        first = entry["number"]
        raise BadRequest(f"Entry {known.number} is no longer kept; the first is {first}: take a later head.")
    if known.number == entry["number"] and known.hash != entry["hash"]:
        raise ChainBroken(f"Entry {known.number} does not match the given head: the log was rewritten.")

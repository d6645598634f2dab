"""The departure of a person: what rooms and features store of them is listed first, and ends in one transaction.

API keys are built in. A feature adds a `Part` by `hooks.leaving`, and need not know the feature that has the accounts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, Table, delete, select, update

from chassis.db import db
from chassis.security import store
from chassis.wiring import current_wiring

__all__ = ["Departure", "Ending", "Part", "owned"]

NAMED = 5  # of what ends, in a sentence


@dataclass
class Departure:
    """The person who leaves.

    Jobs, rows and files pass to the owner `heir`; without one, jobs are cancelled, and rows and files are deleted.
    `keep_keys` keeps the keys that the person made for other owners. `owners` are the names that the person's keys and
    work are stored under; finding the keys completes them.
    """

    email: str
    heir: str = ""
    keep_keys: bool = False
    at: float = field(default_factory=time.time)
    owners: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.owners |= {self.email}


@dataclass(frozen=True)
class Ending:
    """The things of one part that end: what they are, in the plural; what happens to them; and a name for each."""

    what: str
    fate: str
    names: list[str]

    def __str__(self) -> str:
        more = len(self.names) - NAMED
        shown = ", ".join(self.names[:NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"{self.what} ({len(self.names)}, {self.fate}): {shown}"


@dataclass(frozen=True)
class Part:
    """What a feature stores of people: `find` lists it, `end` ends it in the transaction of the departure.

    Both may run in a real thread: they must not log, nor ask for the current identity. `plantable` things can be made
    by everybody who has an account; they end, too, when the account becomes that of another person.
    """

    find: Callable[[Connection, Departure], Ending]
    end: Callable[[Connection, Departure], None]
    plantable: bool = False


def owned(table: Table, what: str, *, named: str = "id") -> Part:
    """Return the part for the rows of a table with a column `owner`: they pass to the heir, or are deleted.

    `what` says what they are, in the plural; the column `named` tells one from another.
    """

    def find(conn: Connection, departure: Departure) -> Ending:
        fate = f"handed over to {departure.heir}" if departure.heir else "deleted"
        query = select(table.c[named]).where(table.c.owner.in_(departure.owners)).order_by(*table.primary_key)
        return Ending(what, fate, [str(name) for name in conn.execute(query).scalars()])

    def end(conn: Connection, departure: Departure) -> None:
        theirs = table.c.owner.in_(departure.owners)
        handed = update(table).where(theirs).values(owner=departure.heir)
        conn.execute(handed if departure.heir else delete(table).where(theirs))

    return Part(find, end)


def parts() -> list[Part]:
    """Return all parts; keys come first, since other parts use the owners that they add."""
    return [Part(_find_keys, _end_keys), *current_wiring().leaving]


def preview(departure: Departure) -> list[Ending]:
    """Return what would end."""
    known = parts()
    return db.read(lambda conn: _found(conn, known, departure), unbounded=True)


def carry_out(conn: Connection, known: list[Part], departure: Departure) -> list[Ending]:
    """End all parts in the transaction that also removes the account; return what ended.

    `known` is the result of `parts`, called outside of the transaction.
    """
    found = _found(conn, known, departure)
    for part in known:
        part.end(conn, departure)
    return found


def hand_over(conn: Connection, known: list[Part], email: str) -> None:
    """End what a previous holder may have planted in an account that passes to another person."""
    for part in known:
        if part.plantable:
            part.end(conn, Departure(email))


def _found(conn: Connection, known: list[Part], departure: Departure) -> list[Ending]:
    return [ending for part in known if (ending := part.find(conn, departure)).names]


def _find_keys(conn: Connection, departure: Departure) -> Ending:
    return Ending("API keys", "revoked", [f"ak_{key.id} {key.name}" for key in _keys(conn, departure)])


def _end_keys(conn: Connection, departure: Departure) -> None:
    for key in _keys(conn, departure):
        store.change_key(conn, key.id, revoked_at=departure.at)


def _keys(conn: Connection, departure: Departure) -> list[Row[object]]:
    """Return the person's keys, and the keys made with these."""
    good = store.good_keys(conn, departure.at)
    found: dict[str, Row[object]] = {}
    while more := [key for key in good if key.id not in found and _is_theirs(key, departure)]:
        found |= {key.id: key for key in more}
        departure.owners |= {key.owner or f"key:{key.id}" for key in more if _is_owned(key, departure)}
    return list(found.values())


def _is_theirs(key: Row[object], departure: Departure) -> bool:
    made = key.made_by in departure.owners
    return _is_owned(key, departure) or (made and not departure.keep_keys)


def _is_owned(key: Row[object], departure: Departure) -> bool:
    """Return whether the key belongs to the person; a key without an owner belongs to its maker."""
    return (key.owner or key.made_by) in departure.owners or key.owner.lower() == departure.email

"""How budgets stand, and setting them: for people, commands and APIs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection, Row

from chassis.base.money import MOST, plain
from chassis.base.texts import storable
from chassis.base.times import iso
from chassis.db import clock, db
from chassis.errors import BadRequest, NotFound
from chassis.security import audit, budget_store, months, store
from chassis.security.budget_rules import rules

MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands this month; `limit` is 0 without one, and `left` is None then.

    `own` says that it was set for this subject, and is not the default of the settings.
    """

    subject: str
    limit: int
    spent: int
    reserved: int
    month: str
    own: bool

    @property
    def left(self) -> int | None:
        """Return what the next call may cost."""
        return max(0, self.limit - self.spent - self.reserved) if self.limit else None

    def as_dict(self) -> dict[str, Any]:
        """Return the form that APIs show."""
        shown = {
            name: getattr(self, name) for name in ("subject", "limit", "spent", "reserved", "left", "month", "own")
        }
        return shown | {"currency": rules().currency, "renews_at": iso(months.end_of(self.month, rules().zone))}


def standings(*subjects: str) -> list[Standing]:
    """Return how the budgets of subjects stand."""
    return db.read(lambda conn: _standings(conn, budget_store.own_limits(conn, subjects), subjects))


def listing() -> list[Standing]:
    """Return how every budget stands that was set or used this month, by its subject."""

    def read(conn: Connection) -> list[Standing]:
        return _standings(conn, budget_store.all_limits(conn), None)

    return db.read(read, unbounded=True)


def set_limit(subject: str, monthly: int | None) -> Standing:
    """Set a monthly budget in micro-units (0 is no limit), or return to the default of the settings with None.

    Raises BadRequest, and NotFound for a key that does not exist.
    """
    if not subject.strip() or len(subject) > MAX_CHARACTERS or subject != storable(subject):
        raise BadRequest("A budget is of a key, as key:ID, or of an account.", code="invalid_subject")
    if monthly is not None and not 0 <= monthly <= MOST:
        raise BadRequest(f"A budget is between 0 and {plain(MOST)}.", code="invalid_budget")
    told = f"{subject}: " + ("default" if monthly is None else f"{rules().currency} {plain(monthly)}")
    line, now, month = audit.entry("budget.set", told), clock.now(), rules().month()

    def write(conn: Connection) -> None:
        _check_key(conn, subject)
        put(conn, subject, monthly, now=now, month=month)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    return standings(subject)[0]


def put(conn: Connection, subject: str, monthly: int | None, *, now: float, month: str) -> None:
    """Store a budget, or remove it, in the caller's transaction; what it reaches is reported again."""
    budget_store.lock(conn, [(month, subject)])
    if monthly is None:
        budget_store.drop_limit(conn, subject)
    else:
        budget_store.put_limit(conn, subject, monthly, now)
    budget_store.forget_alerts(conn, (month, subject))


def delete_days(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` counts of days, then of months, that ended before a time; return their number."""
    day = months.day_of(before, UTC)  # a few hours of another zone do not matter after so long
    gone = budget_store.delete_days(conn, day, limit)
    return gone + (budget_store.delete_months(conn, day[:7], limit - gone) if gone < limit else 0)


def delete_lapsed(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` reservations whose lease ended before a time, and give back what they hold."""
    found = budget_store.ended(conn, before, limit)
    budget_store.lock(conn, [place for _, place in found])
    for place in sorted({place for _, place in found}):
        budget_store.lapse(conn, place, before)
    budget_store.delete_reservations(conn, [(one, place[1]) for one, place in found])
    return len(found)


def _standings(conn: Connection, own: Mapping[str, int], subjects: tuple[str, ...] | None) -> list[Standing]:
    month = rules().month()
    rows = budget_store.standing(conn, month, subjects)
    free = budget_store.lapsed(conn, month, clock.now())
    every = {*own, *rows} if subjects is None else set(subjects)
    return [
        _standing(subject, own.get(subject), rows.get(subject), free.get(subject, 0), month)
        for subject in sorted(every)
    ]


def _standing(subject: str, own: int | None, row: Row[Any] | None, free: int, month: str) -> Standing:
    spent, reserved = (row.spent, row.reserved - free) if row else (0, 0)
    limit = rules().usual(subject) if own is None else own
    return Standing(subject, limit, spent, reserved, month, own is not None)


def _check_key(conn: Connection, subject: str) -> None:
    """Raise NotFound for a key that is neither stored nor of the environment."""
    kind, _, key_id = subject.partition(":")
    if kind == "key" and not key_id.startswith("env-") and store.key(conn, key_id) is None:
        raise NotFound(f"There is no key {key_id}.")

"""Writes reservations and usage in groups: one transaction has those of all calls that came while the last one ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from chassis.security import budget_store as store
from chassis.security.budget_store import COUNTS, Place

ALERTS = (100, 80)  # percent of a budget, each reported once a month


@dataclass(frozen=True, slots=True)
class Refused:
    """A budget without room: its subject, its limit, and how it stands."""

    subject: str
    limit: int
    spent: int
    reserved: int


@dataclass(eq=False, slots=True)
class Hold:
    """A reservation that is wanted, of every subject with a limit; `refused` says afterwards why there is none."""

    id: str
    month: str
    limits: Mapping[str, int]
    amount: int
    expires_at: float
    refused: Refused | None = None


@dataclass(eq=False, slots=True)
class Charge:
    """The end of a call: gives the reservation back, and adds the cost to its subjects and `usage` to its day.

    A charge whose reservation is gone was written before, and changes nothing.
    """

    reservation: str
    month: str
    subjects: tuple[str, ...]
    cost: int
    usage: Mapping[str, Any] | None  # a row of usage_days, or None for a call that failed


@dataclass(eq=False, slots=True)
class Alert:
    """A budget that reached a percentage."""

    subject: str
    month: str
    percent: int
    limit: int
    spent: int


@dataclass(slots=True)
class Written:
    """What a group has changed: budgets that could need an alert, by their place, and those that had no room."""

    limits: dict[Place, int] = field(default_factory=dict)
    full: set[Place] = field(default_factory=set)


def write(conn: Connection, group: Sequence[Hold | Charge], limits: Mapping[str, int], now: float) -> list[Alert]:
    """Write a group in the caller's transaction; return the alerts. Charges come first, since they make room."""
    holds = [one for one in group if isinstance(one, Hold)]
    charges = [one for one in group if isinstance(one, Charge)]
    places = {(one.month, name) for one in holds for name in one.limits}
    places |= {(one.month, name) for one in charges for name in one.subjects}
    store.lock(conn, places)
    written = Written({place: limits[place[1]] for place in places if limits.get(place[1])})
    _charge(conn, charges)
    _hold(conn, holds, now, written)
    return _alerts(conn, written)


def _charge(conn: Connection, charges: Sequence[Charge]) -> None:
    known = store.take_reservations(conn, {one.reservation for one in charges if one.reservation})
    valid = [one for one in charges if not one.reservation or one.reservation in known]
    amounts: dict[Place, tuple[int, int]] = {}
    for one in valid:
        held = known.get(one.reservation, {})
        for subject in one.subjects:
            cost, before = amounts.get((one.month, subject), (0, 0))
            amounts[one.month, subject] = cost + one.cost, before + held.get(subject, 0)
    store.spend(conn, amounts)
    store.add_usage(conn, summed([one.usage for one in valid if one.usage]))


def summed(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of usage with those of the same day, payer and model added up."""
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        place = tuple(row[name] for name in store.DAY_OF)
        found = sums.get(place)
        sums[place] = {**row, **{name: row[name] + (found[name] if found else 0) for name in COUNTS}}
    return list(sums.values())


def _hold(conn: Connection, holds: Sequence[Hold], now: float, written: Written) -> None:
    rows = []
    for one in holds:
        one.refused = _refusal(conn, one, now)
        if one.refused is not None:
            written.full.add((one.month, one.refused.subject))
            continue
        own = {"id": one.id, "month": one.month, "amount": one.amount, "expires_at": one.expires_at}
        rows += [own | {"subject": subject} for subject in one.limits]
    if rows:
        store.insert_reservations(conn, rows)


def _refusal(conn: Connection, one: Hold, now: float) -> Refused | None:
    """Reserve of every subject and return None, or of none of them and return the first without room."""
    for number, (subject, limit) in enumerate(one.limits.items()):
        place = (one.month, subject)
        held = store.hold(conn, place, one.amount, limit)
        if not held and store.lapse(conn, place, now):
            held = store.hold(conn, place, one.amount, limit)
        if not held:
            for earlier in list(one.limits)[:number]:
                store.let_go(conn, (one.month, earlier), one.amount)
            row = store.standing(conn, one.month, [subject])[subject]
            return Refused(subject, limit, row.spent, row.reserved)
    return None


def _alerts(conn: Connection, written: Written) -> list[Alert]:
    """Note which budgets have reached a percentage that was not reported this month; a refusal counts as 100."""
    found = []
    for month in {month for month, _ in written.limits}:
        rows = store.standing(conn, month, [subject for of, subject in written.limits if of == month])
        for subject, row in sorted(rows.items()):
            place = (month, subject)
            percent = _reached(row.spent, written.limits.get(place, 0), full=place in written.full)
            if percent > row.alerted and store.mark_alerted(conn, place, percent):
                found.append(Alert(subject, month, percent, written.limits[place], row.spent))
    return found


def _reached(spent: int, limit: int, *, full: bool) -> int:
    if not limit:
        return 0
    return next((percent for percent in ALERTS if spent * 100 >= limit * percent or (full and percent == 100)), 0)

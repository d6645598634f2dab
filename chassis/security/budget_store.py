"""All SQL of budgets and usage.

The rows of `budget_months` are locked first, in the order of their keys, then the others: so no two transactions wait
for one another.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, func, select, tuple_, update

from chassis.security.budget_tables import budget_months, budget_reservations, budgets, usage_days

Place = tuple[str, str]
"""A type: a month and a subject."""
COUNTS = ("calls", "input_tokens", "output_tokens", "index_tokens", "cost")
DAY_OF = ("day", "by_key", "account", "model")
months, reservations = budget_months.c, budget_reservations.c
SPEND = (
    update(budget_months)
    .where(months.month == bindparam("of_month"), months.subject == bindparam("of_subject"))
    .values(spent=months.spent + bindparam("cost"), reserved=months.reserved - bindparam("held"))
)

OWN = select(budgets.c.subject, budgets.c.monthly).where(budgets.c.subject.in_(bindparam("subjects", expanding=True)))


def own_limits(conn: Connection, subjects: Collection[str]) -> dict[str, int]:
    """Return the budgets of those subjects that have one of their own."""
    return {row.subject: row.monthly for row in conn.execute(OWN, {"subjects": list(subjects)})}


def all_limits(conn: Connection) -> dict[str, int]:
    """Return every budget by its subject."""
    return {row.subject: row.monthly for row in conn.execute(select(budgets))}


def put_limit(conn: Connection, subject: str, monthly: int, now: float) -> None:
    """Set a subject's budget."""
    new = _insert(conn, budgets)
    changed = {"monthly": monthly, "changed_at": now}
    conn.execute(new.values(subject=subject, **changed).on_conflict_do_update(index_elements=["subject"], set_=changed))


def drop_limit(conn: Connection, subject: str) -> bool:
    """Remove a subject's budget; return whether there was one."""
    return conn.execute(delete(budgets).where(budgets.c.subject == subject)).rowcount == 1


def lock(conn: Connection, places: Iterable[Place]) -> None:
    """Make the rows of these months if they are new, and lock them until the transaction ends."""
    wanted = sorted(set(places))
    if not wanted:
        return
    there = (months.month.in_({month for month, _ in wanted}), months.subject.in_({subject for _, subject in wanted}))
    query = select(months.month, months.subject).where(*there).order_by(months.month, months.subject)
    found = {(month, subject) for month, subject in conn.execute(query)}
    new = [{"month": month, "subject": name} for month, name in wanted if (month, name) not in found]
    if new:
        blank = {"spent": 0, "reserved": 0, "alerted": 0}
        conn.execute(_insert(conn, budget_months).on_conflict_do_nothing(), [one | blank for one in new])
    conn.execute(query.with_for_update()).all()


def hold(conn: Connection, place: Place, amount: int, limit: int) -> bool:
    """Reserve an amount if the month's limit has room for it; return whether it had."""
    fits = months.spent + months.reserved + amount <= limit
    more = update(budget_months).where(*_at(place), fits).values(reserved=months.reserved + amount)
    return conn.execute(more).rowcount == 1


def let_go(conn: Connection, place: Place, amount: int) -> None:
    """Give a reserved amount back."""
    conn.execute(update(budget_months).where(*_at(place)).values(reserved=months.reserved - amount))


def insert_reservations(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store reservations, one row for each of its subjects."""
    conn.execute(budget_reservations.insert(), list(rows))


def take_reservations(conn: Connection, ids: Collection[str]) -> dict[str, dict[str, int]]:
    """Remove reservations; return {id: {subject: what it still held}} of those that were there."""
    if not ids:
        return {}
    mine = reservations.id.in_(ids)
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(select(budget_reservations).where(mine)):
        found.setdefault(row.id, {})[row.subject] = row.amount
    conn.execute(delete(budget_reservations).where(mine))
    return found


def lapse(conn: Connection, place: Place, now: float) -> int:
    """Give back what the month's reservations hold whose lease has ended; return how much.

    Their rows stay, with nothing in them, so that a call that ends later is still charged.
    """
    month, subject = place
    mine = (reservations.subject == subject, reservations.month == month)
    over = (*mine, reservations.expires_at < now, reservations.amount > 0)
    found = int(conn.execute(select(func.sum(reservations.amount)).where(*over)).scalar() or 0)
    if found:
        conn.execute(update(budget_reservations).where(*over).values(amount=0))
        let_go(conn, place, found)
    return found


def spend(conn: Connection, amounts: Mapping[Place, tuple[int, int]]) -> None:
    """Add (what was spent, what was reserved for it) to each place's month."""
    rows = [
        {"of_month": month, "of_subject": subject, "cost": cost, "held": held}
        for (month, subject), (cost, held) in sorted(amounts.items())
    ]
    if rows:
        conn.execute(SPEND, rows)


def standing(conn: Connection, month: str, subjects: Collection[str] | None = None) -> dict[str, Row[Any]]:
    """Return {subject: its row} of a month; of every subject without `subjects`."""
    query = select(budget_months).where(months.month == month)
    found = conn.execute(query if subjects is None else query.where(months.subject.in_(subjects)))
    return {row.subject: row for row in found}


def lapsed(conn: Connection, month: str, now: float) -> dict[str, int]:
    """Return {subject: how much is reserved for it by calls whose lease has ended}."""
    over = (reservations.month == month, reservations.expires_at < now, reservations.amount > 0)
    query = select(reservations.subject, func.sum(reservations.amount)).where(*over).group_by(reservations.subject)
    return {subject: int(amount) for subject, amount in conn.execute(query)}


def mark_alerted(conn: Connection, place: Place, percent: int) -> bool:
    """Note that a percentage is reported; return False if that one, or a higher one, has been."""
    lower = update(budget_months).where(*_at(place), months.alerted < percent)
    return conn.execute(lower.values(alerted=percent)).rowcount == 1


def forget_alerts(conn: Connection, place: Place) -> None:
    """Let every percentage of a month be reported again, of a new limit."""
    conn.execute(update(budget_months).where(*_at(place)).values(alerted=0))


def add_usage(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to the counts of days, in the order of their keys; a key must not come twice."""
    if not rows:
        return
    new, there = _insert(conn, usage_days), usage_days.c
    more = {name: there[name] + new.excluded[name] for name in COUNTS}
    added = new.on_conflict_do_update(index_elements=list(DAY_OF), set_=more)
    conn.execute(added, sorted(rows, key=lambda row: tuple(row[name] for name in DAY_OF)))


def delete_days(conn: Connection, before: str, limit: int) -> int:
    """Delete up to `limit` counts of days before a day; return their number."""
    place = tuple_(*(usage_days.c[name] for name in DAY_OF))
    old = select(*(usage_days.c[name] for name in DAY_OF)).where(usage_days.c.day < before).limit(limit)
    return conn.execute(delete(usage_days).where(place.in_(old))).rowcount


def delete_months(conn: Connection, before: str, limit: int) -> int:
    """Delete up to `limit` rows of months before a month; return their number."""
    place = tuple_(months.month, months.subject)
    old = select(months.month, months.subject).where(months.month < before).limit(limit)
    return conn.execute(delete(budget_months).where(place.in_(old))).rowcount


def ended(conn: Connection, before: float, limit: int) -> list[tuple[str, Place]]:
    """Return (id, place) of up to `limit` reservations whose lease ended before a time."""
    query = select(reservations.id, reservations.month, reservations.subject).where(reservations.expires_at < before)
    return [(one, (month, subject)) for one, month, subject in conn.execute(query.limit(limit))]


def delete_reservations(conn: Connection, found: Collection[Place]) -> None:
    """Delete reservations by (id, subject)."""
    for one, subject in found:
        conn.execute(delete(budget_reservations).where(reservations.id == one, reservations.subject == subject))


def _at(place: Place) -> tuple[ColumnElement[bool], ...]:
    return months.month == place[0], months.subject == place[1]


def _insert(conn: Connection, table: Table) -> Any:
    """Return an insert of the connection's database; importing the other one's would only slow down a start."""
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)

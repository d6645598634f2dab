"""What calls of models used, by day, key, account and model."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from sqlalchemy import Connection, func, or_, select

from chassis.base.times import DAY_SECONDS
from chassis.db import clock, db
from chassis.security import months
from chassis.security.budget_rules import rules
from chassis.security.budget_store import COUNTS
from chassis.security.budget_tables import usage_days

Column = Literal["day", "key", "account", "model"]
COLUMNS: tuple[Column, ...] = get_args(Column)
_IN_TABLE = {"key": "by_key"}


def summed(by: Sequence[Column], *, days: int) -> list[dict[str, Any]]:
    """Return the sums of the last days, today included, by some columns; the cost is in micro-units."""
    since = months.day_of(clock.now() - (days - 1) * DAY_SECONDS, rules().zone)
    return db.read(lambda conn: _sums(conn, by, usage_days.c.day >= since), unbounded=True)


def of_month(*subjects: str) -> list[dict[str, Any]]:
    """Return the sums of this month by model, of calls that any of these keys and accounts paid for."""
    if not subjects:
        return []
    mine = or_(usage_days.c.by_key.in_(subjects), usage_days.c.account.in_(subjects))
    month = rules().month()
    return db.read(lambda conn: _sums(conn, ["model"], usage_days.c.day >= f"{month}-01", mine), unbounded=True)


def _sums(conn: Connection, by: Sequence[Column], *conditions: Any) -> list[dict[str, Any]]:
    columns = [usage_days.c[_IN_TABLE.get(name, name)].label(name) for name in by]
    sums = [func.sum(usage_days.c[name]).label(name) for name in COUNTS]
    query = select(*columns, *sums).where(*conditions).group_by(*columns).order_by(*columns)
    rows = [row._asdict() for row in conn.execute(query)]
    return [row | {name: int(row[name] or 0) for name in COUNTS} for row in rows]

"""Ownership: jobs and rows are seen and changed by their owner and admins, and by all where nothing is guarded."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, RowMapping, Select, func

from chassis.db import db
from chassis.errors import Forbidden, NotFound
from chassis.security import identity
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings

__all__ = ["changeable", "check_changed", "check_seen", "listing", "may_see", "seen", "seen_owner"]

Row = TypeVar("Row", bound=Mapping[Any, Any])


def may_see(owner: str) -> bool:
    """Return whether the caller may see the work of an owner."""
    return _is(owner) or not current_settings().guarded or current_settings().public_read


def check_seen(owner: str, what: str) -> None:
    """Raise NotFound when the caller may not see the work of this owner; `what` is named in the sentence."""
    if not may_see(owner):
        raise NotFound(f"There is no such {what}.")


def check_changed(owner: str, what: str) -> None:
    """Raise NotFound when the caller may not see the work of this owner, Forbidden when they may not change it."""
    check_seen(owner, what)
    if not _is(owner) and current_settings().guarded:
        raise Forbidden(f"This {what} belongs to someone else.")


def seen(row: Row | None, what: str) -> Row:
    """Return a row that the caller may see, by its column `owner`; raise NotFound, also when there is none."""
    if row is None:
        raise NotFound(f"There is no such {what}.")
    check_seen(row["owner"], what)
    return row


def changeable(row: Row | None, what: str) -> Row:
    """Return a row that the caller may change, by its column `owner`; raise NotFound or Forbidden."""
    found = seen(row, what)
    check_changed(found["owner"], what)
    return found


def seen_owner() -> str | None:
    """Return the owner whose work the caller may list, or None when they may list all."""
    return None if may_see("") else identity.current().owner


def listing(
    query: Select[Any], owner: Column[Any], shown: Callable[[RowMapping], dict[str, Any]], page: int, per_page: int
) -> dict[str, Any]:
    """Return a page of what a query finds and the caller may list, as APIs show it.

    `owner` is the column to look at; `shown` returns what is shown of a row.
    """
    who = seen_owner()
    seen = query if who is None else query.where(owner == who)
    counted = seen.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)

    def read(conn: Connection) -> tuple[list[RowMapping], int]:
        rows = conn.execute(seen.limit(per_page).offset((page - 1) * per_page)).mappings()
        return list(rows), conn.execute(counted).scalar_one()

    rows, total = db.read(read, unbounded=True)
    return {"items": [shown(row) for row in rows], "page": page, "per_page": per_page, "total": total}


def _is(owner: str) -> bool:
    who = identity.current()
    return who.may(ADMIN) or (bool(owner) and who.owner == owner)

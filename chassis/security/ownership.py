"""Ownership: jobs and rows are seen and changed by their owner and admins, and by all where nothing is guarded."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, func

from chassis.db import db
from chassis.errors import Forbidden, NotFound
from chassis.security import identity
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings

__all__ = ["check_changed", "check_seen", "listing", "may_see", "seen_owner"]


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

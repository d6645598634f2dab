"""Quotas of keys and accounts: declared by the rooms and features that count, and checked where something is used.

They are counted by owner: a key without an owner counts for itself, an account and its keys count together.
Visitors, commands and schedules have no owner and no quota, and a key without limits has no quota while it is good.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text

from chassis.base.times import DAY_SECONDS, iso
from chassis.db import clock, db
from chassis.errors import OverQuota
from chassis.security import store
from chassis.settings import Settings

__all__ = ["STORED_BYTES", "Quota", "count_stored", "declare", "take"]

LOCKS = 7_120_001  # the room of our advisory locks on PostgreSQL
STORED_BYTES = "stored_bytes"
Held = Callable[[Connection, str], int]


@dataclass(frozen=True)
class Quota:
    """A quota; its title completes the sentence "Your limit is 5 …".

    `limit` is read from the settings; 0 is no limit. `held(conn, owner)` returns how much an owner has at the moment;
    without it, the amounts that an owner takes in a day (UTC) are counted.
    """

    name: str
    title: str
    limit: Callable[[Settings], int]
    held: Held | None = None
    unit: Literal["count", "bytes"] = "count"


@dataclass(frozen=True)
class Usage:
    """An owner's use of a quota; `resets_at`, in seconds since 1970, is for quotas that are counted per day."""

    name: str
    title: str
    unit: str
    used: int
    limit: int
    left: int
    resets_at: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the form that APIs show; the time is ISO 8601 in UTC."""
        return asdict(self) | {"resets_at": iso(self.resets_at)}


_quotas: dict[str, Quota] = {}
_stored: dict[str, Held] = {}
_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Use these settings; before that nothing has a limit."""
    global _settings
    _settings = settings


def declare(quota: Quota) -> None:
    """Add a quota; call it in `register`."""
    _quotas[quota.name] = quota


def count_stored(name: str, held: Held) -> None:
    """Add what a feature stores to the quota of stored bytes; `held(conn, owner)` returns how many bytes it is."""
    _stored[name] = held


def take(conn: Connection, owner: str, **amounts: int) -> None:
    """Count amounts that an owner is about to use, by the names of quotas, in the transaction that uses them.

    Raises OverQuota when a quota would be exceeded; let it roll the transaction back. An owner's transactions wait for
    one another here, so that two at once cannot both take what is left.
    """
    limited = [(_quotas[name], amount) for name, amount in amounts.items() if _limit(_quotas[name])]
    now = clock.now()
    if not owner or not limited or _is_without_limits(conn, owner, now):
        return
    _lock(conn, owner)
    for quota, amount in limited:
        found = _usage(conn, quota, owner, now)
        if amount > found.left:
            raise _over(found, amount, now)
        if quota.held is None:
            store.count_use(conn, _day(now), owner, quota.name, amount)


def usage(owner: str) -> list[Usage]:
    """Return an owner's use of each quota that has a limit; empty without an owner."""
    limited = [quota for quota in _quotas.values() if owner and _limit(quota)]
    now = clock.now()

    def read(conn: Connection) -> list[Usage]:
        return [] if _is_without_limits(conn, owner, now) else [_usage(conn, quota, owner, now) for quota in limited]

    return db.read(read, unbounded=True)


def delete_days(conn: Connection, before: float, limit: int) -> int:
    """Delete up to `limit` of the daily counts before a time; return their number."""
    return store.delete_uses(conn, _day(before), limit)


def _limit(quota: Quota) -> int:
    return quota.limit(_settings) if _settings else 0


def _is_without_limits(conn: Connection, owner: str, now: float) -> bool:
    """Return whether an owner is a valid key without limits; such a key is its own owner."""
    kind, _, key_id = owner.partition(":")
    found = store.key(conn, key_id) if kind == "key" else None
    return found is not None and found.without_limits and not found.revoked_at and found.expires_at > now


def _usage(conn: Connection, quota: Quota, owner: str, now: float) -> Usage:
    day, limit = _day(now), _limit(quota)
    used = quota.held(conn, owner) if quota.held else store.used_on(conn, day, owner, quota.name)
    resets_at = None if quota.held else float((day + 1) * DAY_SECONDS)
    return Usage(quota.name, quota.title, quota.unit, used, limit, max(0, limit - used), resets_at)


def _over(found: Usage, amount: int, now: float) -> OverQuota:
    sentence = f"Your limit is {found.limit:,} {found.title}: {found.left:,} left, and this needs {amount:,}."
    wait = found.resets_at - now if found.resets_at else None
    details = {"quota": found.name, "limit": found.limit, "used": found.used, "left": found.left, "needed": amount}
    return OverQuota(sentence, details=details, storage=found.unit == "bytes", retry_after_seconds=wait)


def _lock(conn: Connection, owner: str) -> None:
    """Wait for the owner's other transactions; SQLite has a single writer anyway."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:room, hashtext(:owner))"), {"room": LOCKS, "owner": owner})


def _day(now: float) -> int:
    return int(now // DAY_SECONDS)


def _all_stored(conn: Connection, owner: str) -> int:
    return sum(held(conn, owner) for held in _stored.values())


declare(Quota(STORED_BYTES, "bytes of storage", lambda settings: settings.quota_stored_bytes, _all_stored, "bytes"))

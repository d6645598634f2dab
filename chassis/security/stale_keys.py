"""Finds keys that may no longer be needed: unused for a long time, or made by a person who has left."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from chassis.base.times import DAY_SECONDS
from chassis.db import clock, db
from chassis.security import store
from chassis.wiring import current_wiring


def reasons() -> dict[str, str]:
    """Return {id of a valid key: why an operator should review it}, oldest key first."""
    wiring = current_wiring()
    people, days, now = wiring.people, wiring.settings.stale_key_days, clock.now()

    def read(conn: Connection) -> dict[str, str]:
        keys = store.keys(conn)[::-1]
        states = people(conn, {name for key in keys for name in (key.made_by, key.owner)}) if people else None
        states_of_keys = {f"key:{key.id}": "revoked" if key.revoked_at else "good" for key in keys}
        good = [key for key in keys if not key.revoked_at and (key.expires_at or now + 1) > now]
        found = {key.id: _of_use(key, days, now) + _of_people(key, states, states_of_keys) for key in good}
        return {key_id: " and ".join(why) for key_id, why in found.items() if why}

    return db.read(read, unbounded=True)


def _of_use(key: Row[Any], days: int, now: float) -> list[str]:
    unused = (now - (key.last_used_at or key.created_at)) / DAY_SECONDS
    return [f"has not been used for {unused:.0f} days"] if days and unused >= days else []


def _of_people(key: Row[Any], states: Mapping[str, str] | None, states_of_keys: Mapping[str, str]) -> list[str]:
    """Return problems with the key's maker and owner; without accounts, people are not checked."""
    if states_of_keys.get(key.made_by) == "revoked":
        return [f"was created by the key {key.made_by.removeprefix('key:')}, which is revoked"]
    if states is None:
        return []
    if states.get(key.made_by) == "disabled":
        return [f"was created by {key.made_by}, whose account is disabled"]
    if "@" in key.made_by and key.made_by not in states:
        return [f"was created by {key.made_by}, which has no account"]
    return [f"belongs to {key.owner}, whose account is disabled"] if states.get(key.owner) == "disabled" else []

"""API keys: created, shown once, stored as a hash, expired and revoked."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from chassis.base.times import DAY_SECONDS, iso
from chassis.db import clock, db
from chassis.errors import BadRequest, NotFound
from chassis.security import audit, budget_admin, identity, store
from chassis.security.budget_rules import rules
from chassis.security.identity import ADMIN, SCOPES
from chassis.security.payer import KEY_PREFIX
from chassis.security.signals import rights_changed

PREFIX = KEY_PREFIX
ID_BYTES, SECRET_BYTES = 4, 32
MAX_SECONDS_WITHOUT_LIMITS = DAY_SECONDS


AS_GIVEN = ("name", "owner", "per_second", "expires_at", "without_limits")


@dataclass(frozen=True)
class NewKey:
    """The properties of a new key; a rate of 0 is the default, and so is a budget of 0 (in micro-units).

    A key without limits is for load tests: it is exempt from rates, quotas and the limits of its address. It is not an
    admin, owns only its own work, and expires within a day.
    """

    name: str
    scopes: tuple[str, ...]
    owner: str = ""
    per_second: float = 0
    monthly_budget: int = 0
    expires_at: float | None = None
    without_limits: bool = False


def digest(key: str) -> str:
    """Return the stored hash of a key. A plain hash is safe for 32 random bytes, which cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def create(new: NewKey) -> str:
    """Store a key and return it in full, the only time this is possible."""
    _check(new)
    key_id = secrets.token_hex(ID_BYTES)
    key = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    values = {"id": key_id, "hash": digest(key), "created_at": clock.now(), "scopes": list(new.scopes)}
    values["made_by"] = identity.current().maker
    values |= {name: getattr(new, name) for name in AS_GIVEN}
    told = f"{key_id} {new.name} ({', '.join(new.scopes)}{', without limits' if new.without_limits else ''})"
    line = audit.entry("key.create", told, makes_admin=ADMIN in new.scopes)

    def write(conn: Connection) -> None:
        store.insert_key(conn, values)
        if new.monthly_budget:
            budget_admin.put(conn, f"key:{key_id}", new.monthly_budget, now=clock.now(), month=rules().month())
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    rights_changed.send()  # the key is valid in this process at once
    return key


def revoke(key_id: str) -> None:
    """Revoke a key; raise NotFound when there is no such valid key."""
    _change(key_id, "key.revoke", revoked_at=clock.now())


def revoke_without_limits(key_id: str) -> None:
    """Revoke a key without limits; raise NotFound when there is no such valid key."""
    found = db.read(lambda conn: store.key(conn, id_of(key_id)))
    if found is None or not found.without_limits:
        raise NotFound("There is no such key without limits.")
    revoke(key_id)


def expire(key_id: str, at: float) -> None:
    """Set when a key expires, in seconds since 1970; raise NotFound when it is revoked or unknown."""
    key_id = id_of(key_id)
    found = db.read(lambda conn: store.key(conn, key_id))
    if found is not None and found.without_limits and at > found.expires_at:
        raise BadRequest("A key without limits cannot be extended: create another one.", code="invalid_expiry")
    _change(key_id, "key.expire", expires_at=at)


def listing() -> list[dict[str, Any]]:
    """Return all keys, newest first, in the form that commands and pages show."""
    rows = db.read(store.keys)
    budgets = {one.subject: one for one in budget_admin.standings(*(f"key:{row.id}" for row in rows))}
    return [_shown(row) | {"budget": budgets[f"key:{row.id}"].as_dict()} for row in rows]


def id_of(shown: str) -> str:
    """Return a key's id; a key in the form in which it is shown is accepted too."""
    return shown.removeprefix(f"{PREFIX}_").split("_")[0]


def _change(key_id: str, action: str, **values: Any) -> None:
    key_id = id_of(key_id)
    line = audit.entry(action, key_id)

    def write(conn: Connection) -> bool:
        changed = store.change_key(conn, key_id, **values)
        if changed:
            audit.write(conn, line)
        return changed

    if not db.write(write):
        raise NotFound(f"There is no key {key_id}, or it is already revoked.")
    audit.tell(line)
    rights_changed.send()


def _check(new: NewKey) -> None:
    unknown = set(new.scopes) - set(SCOPES)
    if unknown or not new.scopes:
        raise BadRequest(f"A key must have one or more of the scopes {', '.join(SCOPES)}.", code="invalid_scope")
    if not new.name.strip():
        raise BadRequest("A key must have a name that says what it is for.", code="invalid_name")
    if new.expires_at is not None and new.expires_at <= clock.now():
        raise BadRequest("A key must expire in the future.", code="invalid_expiry")
    if new.without_limits:
        _check_without_limits(new)


def _check_without_limits(new: NewKey) -> None:
    if ADMIN in new.scopes or new.owner or new.per_second:
        raise BadRequest("A key without limits cannot have the scope admin, an owner or a rate.", code="invalid_limits")
    if new.expires_at is None or new.expires_at > clock.now() + MAX_SECONDS_WITHOUT_LIMITS:
        raise BadRequest("A key without limits must expire within a day.", code="invalid_expiry")


def _shown(row: Row[Any]) -> dict[str, Any]:
    now = clock.now()
    state = "revoked" if row.revoked_at else "expired" if row.expires_at and row.expires_at <= now else "good"
    plain = ("id", "name", "owner", "scopes", "per_second", "use_count", "made_by", "without_limits")
    times: Iterable[str] = ("created_at", "expires_at", "revoked_at", "last_used_at")
    shown = {name: getattr(row, name) for name in plain} | {name: iso(getattr(row, name)) for name in times}
    return shown | {"state": state}

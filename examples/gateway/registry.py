"""The registry of backends: who may be asked, and with which key."""

import time
import uuid
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from app.features.gateway import store
from app.features.gateway.messages import BackendChange, NewBackend, Registration
from app.features.gateway.settings import GatewaySettings, separated
from chassis.base import iso
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.security import audit, sealing
from chassis.upstream import check_base_url

PURPOSE = "gateway-backend"
API, SETTING = "api", "setting"
FRESH = {"found_models": [], "open_until": 0.0, "trips": 0, "failed_checks": 0, "checked_at": 0.0, "check_detail": ""}


def listing() -> list[dict[str, Any]]:
    """Return all backends."""
    return [shown(row) for row in db.read(store.every)]


def get(backend_id: str) -> dict[str, Any]:
    """Return one backend; raise NotFound."""
    return shown(_found(backend_id))


def create(new: NewBackend, settings: GatewaySettings) -> dict[str, Any]:
    """Add a backend; raise BadRequest for its address, Conflict for its name."""
    row = _row(new, settings) | {"enabled": new.enabled, "source": API, "lease_until": None}
    _insert(row)
    audit.record("gateway.backend_added", row["name"])
    return get(row["id"])


def register(new: Registration, settings: GatewaySettings) -> dict[str, Any]:
    """Add a backend that registers itself, or renew its lease; raise BadRequest, or Conflict for another's name."""
    lease = {"lease_until": time.time() + settings.gateway_lease_seconds}
    row = _row(new, settings) | {"enabled": True, "source": store.SELF} | lease
    known = db.read(lambda conn: store.named(conn, new.name))
    if known is None:
        _insert(row)
        return get(row["id"])
    if known.source != store.SELF:
        raise Conflict("A backend with this name was not registered by itself.", code="name_taken")
    if _opened(known) == new.key:
        row["key"] = known.key  # each sealing differs, and would look like a new key
    kept = {"id", *FRESH, "created_at", "enabled"}  # what an admin or the health check has set stays
    db.write(lambda conn: store.change(conn, known.id, {k: v for k, v in row.items() if k not in kept}))
    return get(known.id)


def change(backend_id: str, new: BackendChange, settings: GatewaySettings) -> dict[str, Any]:
    """Store other values; raise NotFound or BadRequest. A key never goes to another host than it was given for."""
    row, values = _found(backend_id), new.model_dump(exclude_none=True)
    if "base_url" in values:
        check_base_url(values["base_url"], settings.gateway_allowed_networks)
        values |= {"found_models": [], "open_until": 0.0, "trips": 0, "checked_at": 0.0}
        if _origin(values["base_url"]) != _origin(row.base_url):
            values.setdefault("key", "")
    if values.get("key"):
        values["key"] = _sealed(values["key"])
    if values and not db.write(lambda conn: store.change(conn, backend_id, values)):
        raise _gone()
    audit.record("gateway.backend_changed", row.name)
    return get(backend_id)


def remove(backend_id: str) -> dict[str, Any]:
    """Delete a backend and return it; raise NotFound. Calls under way are not interrupted."""
    row = _found(backend_id)
    if not db.write(lambda conn: store.remove(conn, backend_id)):
        raise _gone()
    audit.record("gateway.backend_removed", row.name)
    return shown(row)


def apply_settings(settings: GatewaySettings) -> None:
    """Make the backends that settings declare those that they declare now; several workers may do so at once."""
    declared = dict(pair for item in settings.gateway_backends if (pair := separated(item)))
    rows = {row.name: row for row in db.read(store.every)}
    for name, url in declared.items():
        new = Registration.model_validate({"name": name, "base_url": url, "key": settings.backend_keys.get(name, "")})
        values = _row(new, settings) | {"enabled": True, "source": SETTING, "lease_until": None}
        known = rows.get(name)
        if known is None:
            _insert_once(values)
        elif known.source == SETTING and (known.base_url, _opened(known)) != (new.base_url, new.key):
            changed = {"base_url": values["base_url"], "key": values["key"]}
            db.write(partial(_change, known.id, changed))
    for row in rows.values():
        if row.source == SETTING and row.name not in declared:
            db.write(partial(_remove, row.id))


def key_of(row: Row[Any]) -> str:
    """Return a backend's key, or "" when it has none; raise Conflict when SECRET_KEY has changed since."""
    return sealing.unseal(row.key, PURPOSE)[0].decode() if row.key else ""


def _opened(row: Row[Any]) -> str | None:
    """Return a backend's key, or None if it can no longer be read."""
    try:
        return key_of(row)
    except Conflict:
        return None


def shown(row: Row[Any]) -> dict[str, Any]:
    """Return a backend as the API shows it."""
    same = ("id", "name", "base_url", "weight", "max_concurrency", "per_second", "enabled", "source", "failed_checks")
    found = {name: getattr(row, name) for name in (*same, "check_detail")}
    times = {name: iso(value) if (value := getattr(row, name)) else None for name in ("lease_until", "checked_at")}
    return (
        found
        | times
        | {"has_key": bool(row.key), "open": row.open_until > time.time(), "models": row.models or row.found_models}
    )


def _row(new: NewBackend | Registration, settings: GatewaySettings) -> dict[str, Any]:
    check_base_url(new.base_url, settings.gateway_allowed_networks)
    values = {name: getattr(new, name) for name in ("name", "base_url", "models", "weight")}
    values |= {"max_concurrency": new.max_concurrency, "per_second": new.per_second, "key": _sealed(new.key)}
    return {"id": uuid.uuid4().hex, "created_at": time.time(), **FRESH, **values}


def _sealed(key: str) -> str:
    return sealing.seal(key.encode(), PURPOSE) if key else ""


def _insert(row: dict[str, Any]) -> None:
    try:
        db.write(lambda conn: store.insert(conn, row))
    except IntegrityError:
        raise Conflict("There is a backend with this name.", code="name_taken") from None


def _insert_once(row: dict[str, Any]) -> None:
    def work(conn: Connection) -> None:
        if store.named(conn, row["name"]) is None:
            store.insert(conn, row)

    try:
        db.write(work)
    except IntegrityError:  # another worker was faster
        return


def _change(backend_id: str, values: dict[str, Any], conn: Connection) -> None:
    store.change(conn, backend_id, values)


def _remove(backend_id: str, conn: Connection) -> None:
    store.remove(conn, backend_id)


def _origin(url: str) -> tuple[str, str]:
    split = urlsplit(url)
    return split.scheme, split.netloc.lower()


def _found(backend_id: str) -> Row[Any]:
    row = db.read(lambda conn: store.get(conn, backend_id))
    if row is None:
        raise _gone()
    return row


def _gone() -> NotFound:
    return NotFound("There is no such backend.")

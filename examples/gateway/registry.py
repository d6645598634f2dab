"""The registry of backends: who may be asked, and with which key."""

import time
import uuid
from typing import Any

import structlog
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from app.features.gateway import store
from app.features.gateway.messages import BackendChange, BackendResponse, NewBackend
from app.features.gateway.settings import GatewaySettings
from chassis.base import iso
from chassis.db import db
from chassis.errors import BadRequest, Conflict, NotFound
from chassis.security import audit, sealing
from chassis.upstream import MemberSpec, check_base_url, same_host

log = structlog.get_logger(__name__)
API, SETTING, SELF = "api", "setting", store.SELF
FRESH = {"found_models": [], "open_until": 0.0, "trips": 0, "failed_checks": 0, "checked_at": 0.0, "check_detail": ""}


def listing() -> list[dict[str, Any]]:
    """Return all backends."""
    return [shown(row) for row in db.read(store.every)]


def get(backend_id: str) -> dict[str, Any]:
    """Return one backend; raise NotFound."""
    return shown(_found(backend_id))


def create(new: NewBackend, settings: GatewaySettings) -> dict[str, Any]:
    """Add a backend; raise BadRequest for its address, Conflict for its name."""
    made = _insert(_row(new, settings, API))
    audit.record("gateway.backend_added", new.name)
    return made


def register(new: NewBackend, settings: GatewaySettings) -> dict[str, Any]:
    """Add a backend that registers itself, or renew its lease; raise BadRequest, or Conflict for another's name."""
    row = _row(new, settings, SELF) | {"lease_until": time.time() + settings.gateway_lease_seconds}
    known = db.read(lambda conn: store.find(conn, name=new.name))
    if known is None:
        return _insert(row)
    if known.source != SELF:
        raise Conflict("A backend with this name was not registered by itself.", code="name_taken")
    kept = {"id", "enabled", *(FRESH if known.base_url == new.base_url else ())}  # set by an admin or the check
    db.write(lambda conn: store.change(conn, known.id, {k: v for k, v in row.items() if k not in kept}))
    return get(known.id)


def change(backend_id: str, new: BackendChange, settings: GatewaySettings) -> dict[str, Any]:
    """Store other values; raise NotFound, BadRequest, or Conflict if somebody else has changed the address meanwhile.

    A key never goes to another host than it was given for.
    """
    row, values = _found(backend_id), new.model_dump(exclude_none=True)
    if "base_url" in values:
        check_base_url(values["base_url"], settings.gateway_allowed_networks)
        values |= FRESH
        if not same_host(values["base_url"], row.base_url):
            values.setdefault("key", "")
    if values and not db.write(lambda conn: store.change(conn, backend_id, values, base_url=row.base_url)):
        raise Conflict("The backend has just been changed: look at it and try again.", code="changed_meanwhile")
    audit.record("gateway.backend_changed", row.name)
    return get(backend_id)


def remove(backend_id: str) -> dict[str, Any]:
    """Delete a backend and return it; raise NotFound. Calls under way are not interrupted."""
    row = _found(backend_id)
    db.write(lambda conn: store.remove(conn, backend_id))
    audit.record("gateway.backend_removed", row.name)
    return shown(row)


def apply_settings(settings: GatewaySettings) -> None:
    """Make the backends that settings declare those that they declare now; several workers may do so at once."""
    declared: dict[str, dict[str, Any]] = {}
    for name, url, key in settings.backends:
        try:
            declared[name] = _row(NewBackend(name=name, base_url=url, models=[], key=key), settings, SETTING)
        except BadRequest as error:
            log.error("gateway_backend_refused", backend=name, reason=error.message)
    try:
        db.write(lambda conn: _apply(conn, declared))
    except IntegrityError:  # another worker was faster
        return


def shown(row: Row[Any]) -> dict[str, Any]:
    """Return a backend as the API shows it."""
    found = {name: getattr(row, name) for name in BackendResponse.model_fields if name != "has_key"}
    found |= {"has_key": bool(row.key), "models": row.models or row.found_models}
    return found | {"lease_until": iso(row.lease_until) if row.lease_until else None}


def spec(row: Row[Any]) -> MemberSpec:
    """Return a backend as calls to it need it."""
    same = ("id", "name", "base_url", "key", "enabled", "weight", "per_second", "open_until", "trips")
    if isinstance(row.key, sealing.Unreadable):
        log.error("gateway_key_unreadable", backend=row.name, reason="SECRET_KEY has changed: set the key again.")
    return MemberSpec(
        **{name: getattr(row, name) for name in same},
        models=tuple(row.models or row.found_models),
        most=row.max_concurrency,
        detail=row.check_detail,
        about=row,
    )


def _apply(conn: Connection, declared: dict[str, dict[str, Any]]) -> None:
    rows = {row.name: row for row in store.every(conn)}
    for row in rows.values():
        if row.source == SETTING and row.name not in declared:
            store.remove(conn, row.id)
    for name, new in declared.items():
        known = rows.get(name)
        if known is None:
            store.insert(conn, new)
        elif known.source == SETTING and (known.base_url, known.key) != (new["base_url"], new["key"]):
            store.change(conn, known.id, {"base_url": new["base_url"], "key": new["key"], **FRESH})


def _row(new: NewBackend, settings: GatewaySettings, source: str) -> dict[str, Any]:
    check_base_url(new.base_url, settings.gateway_allowed_networks)
    return {**FRESH, **new.model_dump(), "id": uuid.uuid4().hex, "source": source, "lease_until": None}


def _insert(row: dict[str, Any]) -> dict[str, Any]:
    try:
        db.write(lambda conn: store.insert(conn, row))
    except IntegrityError:
        raise Conflict("There is a backend with this name.", code="name_taken") from None
    return get(row["id"])


def _found(backend_id: str) -> Row[Any]:
    row = db.read(lambda conn: store.find(conn, id=backend_id))
    if row is None:
        raise NotFound("There is no such backend.")
    return row

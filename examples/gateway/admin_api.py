"""The HTTP interface to the registry, the statistics and the log."""

import hmac

from flask import Blueprint, Response, jsonify, request

from app.features.gateway import gateway, registry, stats, store
from app.features.gateway.messages import BackendChange, BackendResponse, Backends, Calls, NewBackend, Stats
from app.features.gateway.tables import calls as log
from chassis.errors import Unauthorized
from chassis.security import identity, needs, ownership, public, request_rates
from chassis.web import Paging, describe, json_body, query_parameters

blueprint = Blueprint("gateway_api", __name__)
admin = needs(identity.ADMIN)
ID = "<string(length=32):backend_id>"


@blueprint.get("/api/backends")
@admin
@describe(answers={200: Backends})
def listing() -> Response:
    """Return all backends."""
    return jsonify(items=registry.listing())


@blueprint.post("/api/backends")
@admin
@describe(body=NewBackend, answers={201: BackendResponse, 409: "The name is taken."})
def create() -> tuple[Response, int]:
    """Add a backend."""
    return _synced(registry.create(json_body(NewBackend), gateway.current().settings)), 201


@blueprint.post("/api/backends/register")
@public
@request_rates.limit("120 per minute")
@describe(body=NewBackend, answers={200: BackendResponse, 401: "The registration key is wrong.", 409: "Name taken."})
def register() -> Response:
    """Register a backend by itself, or renew its lease; send GATEWAY_REGISTRATION_KEY as X-Registration-Key."""
    settings = gateway.current().settings
    key = settings.gateway_registration_key.get_secret_value().encode()
    if not key or not hmac.compare_digest(request.headers.get("X-Registration-Key", "").encode(), key):
        raise Unauthorized("The registration key is wrong, or registration is off.")
    return _synced(registry.register(json_body(NewBackend), settings))


@blueprint.get(f"/api/backends/{ID}")
@admin
@describe(answers={200: BackendResponse})
def show(backend_id: str) -> Response:
    """Return one backend."""
    return jsonify(registry.get(backend_id))


@blueprint.patch(f"/api/backends/{ID}")
@admin
@describe(body=BackendChange, answers={200: BackendResponse})
def change(backend_id: str) -> Response:
    """Change a backend; `enabled: false` takes it out of the pool."""
    return _synced(registry.change(backend_id, json_body(BackendChange), gateway.current().settings))


@blueprint.delete(f"/api/backends/{ID}")
@admin
@describe(answers={200: BackendResponse})
def remove(backend_id: str) -> Response:
    """Remove a backend, and return it; calls under way are finished."""
    return _synced(registry.remove(backend_id))


@blueprint.get("/admin/stats")
@describe(answers={200: Stats})
def figures() -> Response:
    """Return the figures of all backends over the last minutes."""
    return jsonify(stats.stats(gateway.current()))


@blueprint.get("/api/gateway/calls")
@describe(query=Paging, answers={200: Calls})
def calls() -> Response:
    """Return a page of the log of calls, newest first: your own, or everybody's for admins."""
    asked = query_parameters(Paging)
    found = ownership.listing(store.logged(), log.c.owner, store.shown_call, asked.page, asked.per_page)
    return jsonify(found)


def _synced(found: dict[str, object]) -> Response:
    """Return a response after this worker has taken a change over; the others do within a second."""
    gateway.current().sync()
    return jsonify(found)

"""The health check of a backend: its list of models, which is also where its models are learned."""

from typing import TYPE_CHECKING, Any

import structlog

from app.features.gateway import store
from app.features.gateway.pool import Backend
from chassis.db import db
from chassis.upstream import list_models

if TYPE_CHECKING:
    from app.features.gateway.gateway import Gateway

log = structlog.get_logger(__name__)


def check(gateway: "Gateway", backend: Backend) -> None:
    """Ask a backend for its models, and store what came of it."""
    try:
        models, problem = list_models(backend.wire, gateway.settings.health_check_timeout_seconds)
        _note(gateway, backend, models, problem)
    except Exception:
        log.exception("gateway_check_error", backend=backend.name)


def _note(gateway: "Gateway", backend: Backend, models: list[str], problem: str) -> None:
    most = gateway.settings.max_consecutive_failures
    failures = backend.row.failed_checks + 1 if problem else 0
    log.log(30 if problem else 20, "gateway_check", backend=backend.name, ok=not problem, detail=problem)
    values: dict[str, Any] = {"failed_checks": failures, "check_detail": problem or "ok"}
    values |= {} if problem else {"found_models": models}
    db.write(lambda conn: store.change(conn, backend.id, values))
    if failures >= most:
        backend.breaker.trip()
    if failures >= most or (not problem and backend.breaker.checked()):
        gateway.store_breaker(backend)
    removes = gateway.settings.auto_deregister_after_failures
    if removes and db.write(lambda conn: store.remove_failing(conn, backend.id, most)):
        log.warning("gateway_deregistered", backend=backend.name, failures=failures)

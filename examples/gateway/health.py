"""The health check of a backend: its list of models, which is also where its models are learned."""

import threading
import time
from functools import partial
from typing import Any

import structlog

from app.features.gateway import store
from app.features.gateway.gateway import Gateway
from chassis.db import db
from chassis.upstream import Member, list_models

log = structlog.get_logger(__name__)


def check_due(gateway: Gateway) -> None:
    """Check the backends that are due, each in a thread, unless another worker does so."""
    now = time.time()
    before = now - gateway.settings.health_check_interval_seconds
    due = [one for one in gateway.pool if one.spec.enabled and one.spec.about.checked_at < before]
    for backend in due:
        if db.write(partial(store.claim_check, backend_id=backend.id, before=before, now=now)):
            threading.Thread(target=_check, args=(gateway, backend), name="gateway-check", daemon=True).start()


def _check(gateway: Gateway, backend: Member) -> None:
    """Ask a backend for its models, and store what came of it."""
    try:
        _note(gateway, backend, *list_models(backend.wire, gateway.settings.health_check_timeout_seconds))
    except Exception:
        log.exception("gateway_check_error", backend=backend.name)


def _note(gateway: Gateway, backend: Member, models: list[str], problem: str) -> None:
    most = gateway.settings.max_consecutive_failures
    failures = backend.spec.about.failed_checks + 1 if problem else 0
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

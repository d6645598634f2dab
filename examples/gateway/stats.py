"""The figures of the backends, of all workers together."""

import math
import time
from typing import Any

from app.features.gateway import store
from app.features.gateway.gateway import Gateway
from chassis.base import iso
from chassis.db import db
from chassis.upstream import Member

WINDOW_SECONDS = 300
FAULTS = ("broken", "failed_over", "no_backend", "internal_error", "rate_limited")


def stats(gateway: Gateway) -> dict[str, Any]:
    """Return the figures of the last minutes."""
    found = [_figures(backend, time.time()) for backend in gateway.pool]
    return {"window_seconds": WINDOW_SECONDS, "waiting": len(gateway.relay.queue), "backends": found}


def _figures(backend: Member, now: float) -> dict[str, Any]:
    row, state = backend.spec.about, backend.breaker.state
    count, rows = db.read(lambda conn: store.recent(conn, row.name, now - WINDOW_SECONDS))
    times = sorted(one.seconds for one in rows)
    good = sum(one.outcome not in FAULTS for one in rows)
    span = min(WINDOW_SECONDS, now - rows[-1].at) if rows else WINDOW_SECONDS  # of the calls that were read
    found = {"id": row.id, "name": row.name, "enabled": row.enabled, "models": list(backend.spec.models)}
    found |= {"state": state, "healthy": state == "closed" and row.failed_checks == 0, "requests": count}
    found |= {"in_flight": backend.in_flight + backend.elsewhere}
    found |= {"success_rate": round(good / len(rows), 4) if rows else None}
    found |= {"p50_seconds": _quantile(times, 0.5), "p95_seconds": _quantile(times, 0.95)}
    found |= {"tokens_per_second": round(sum(one.output_tokens for one in rows) / max(span, 1.0), 1)}
    return found | {"checked_at": iso(row.checked_at) if row.checked_at else None, "check_detail": row.check_detail}


def _quantile(times: list[float], share: float) -> float | None:
    return times[math.ceil(share * len(times)) - 1] if times else None

"""The figures of the backends, of all workers together, and the log of calls."""

import math
import time
from typing import TYPE_CHECKING, Any

from app.features.gateway import store
from chassis.base import iso
from chassis.db import db

if TYPE_CHECKING:
    from app.features.gateway.gateway import Gateway
    from app.features.gateway.pool import Backend

WINDOW_SECONDS = 300
FAULTS = ("broken", "failed_over", "no_backend", "internal_error", "rate_limited")


def stats(gateway: "Gateway") -> dict[str, Any]:
    """Return the figures of the last minutes."""
    found = [_figures(backend, time.time()) for backend in list(gateway.pool.backends.values())]
    return {"window_seconds": WINDOW_SECONDS, "waiting": len(gateway.queue), "backends": found}


def calls(owner: str | None, page: int, per_page: int) -> dict[str, Any]:
    """Return a page of the log: an owner's calls, or everybody's for None."""
    rows, total = db.read(lambda conn: store.logged(conn, owner, per_page, (page - 1) * per_page))
    items = [{**row._mapping, "at": iso(row.at)} for row in rows]
    return {"items": items, "page": page, "per_page": per_page, "total": total}


def _figures(backend: "Backend", now: float) -> dict[str, Any]:
    row, state = backend.row, backend.breaker.state
    count, rows = db.read(lambda conn: store.recent(conn, row.name, now - WINDOW_SECONDS))
    times = sorted(one.seconds for one in rows)
    good = sum(one.outcome not in FAULTS for one in rows)
    span = min(WINDOW_SECONDS, now - rows[-1].at) if rows else WINDOW_SECONDS  # of the calls that were read
    found = {"id": row.id, "name": row.name, "models": backend.models, "enabled": row.enabled, "state": state}
    found |= {"healthy": state == "closed" and row.failed_checks == 0, "requests": count}
    found |= {"in_flight": backend.in_flight + backend.elsewhere}
    found |= {"success_rate": round(good / len(rows), 4) if rows else None}
    found |= {"p50_seconds": _quantile(times, 0.5), "p95_seconds": _quantile(times, 0.95)}
    found |= {"tokens_per_second": round(sum(one.output_tokens for one in rows) / max(span, 1.0), 1)}
    return found | {"checked_at": iso(row.checked_at) if row.checked_at else None, "check_detail": row.check_detail}


def _quantile(times: list[float], share: float) -> float | None:
    return times[math.ceil(share * len(times)) - 1] if times else None

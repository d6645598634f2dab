"""The figures of the backends, of all workers together, and the log of calls."""

import math
import time
from typing import TYPE_CHECKING, Any

from app.features.gateway import store
from chassis.base import iso
from chassis.db import db

if TYPE_CHECKING:
    from app.features.gateway.gateway import Gateway
    from app.features.gateway.pool import Member

WINDOW_SECONDS = 300
FAULTS = ("broken", "failed_over", "no_backend", "internal_error", "rate_limited")


def stats(gateway: "Gateway") -> dict[str, Any]:
    """Return the figures of the last minutes."""
    now = time.time()
    workers = {gateway.worker: sum(member.in_flight for member in gateway.pool.members.values())}
    for row in db.read(lambda conn: store.in_flight(conn, now - store.LOST_SECONDS)):
        if row.worker != gateway.worker:
            workers[row.worker] = workers.get(row.worker, 0) + row.in_flight
    found = [_figures(member, now) for member in gateway.pool.members.values()]
    return {"window_seconds": WINDOW_SECONDS, "waiting": len(gateway.queue), "workers": workers, "backends": found}


def calls(owner: str | None, page: int, per_page: int) -> dict[str, Any]:
    """Return a page of the log: an owner's calls, or everybody's for None."""
    rows, total = db.read(lambda conn: store.logged(conn, owner, per_page, (page - 1) * per_page))
    items = [{**row._mapping, "at": iso(row.at)} for row in rows]
    return {"items": items, "page": page, "per_page": per_page, "total": total}


def _figures(member: "Member", now: float) -> dict[str, Any]:
    row = member.row
    count, rows = db.read(lambda conn: store.recent(conn, row.name, now - WINDOW_SECONDS))
    times = sorted(one.seconds for one in rows)
    good = sum(one.outcome not in FAULTS for one in rows)
    span = min(WINDOW_SECONDS, now - rows[-1].at) if rows else WINDOW_SECONDS  # of the last thousand calls
    found = {"id": row.id, "name": row.name, "models": member.models, "enabled": row.enabled}
    found |= {"state": member.breaker.state, "healthy": member.breaker.state == "closed" and row.failed_checks == 0}
    found |= {"in_flight": member.in_flight + member.elsewhere, "requests": count}
    found |= {"success_rate": round(good / len(rows), 4) if rows else None}
    found |= {"p50_seconds": _quantile(times, 0.5), "p95_seconds": _quantile(times, 0.95)}
    found |= {"tokens_per_second": round(sum(one.output_tokens for one in rows) / max(span, 1.0), 1)}
    return found | {"checked_at": iso(row.checked_at) if row.checked_at else None, "check_detail": row.check_detail}


def _quantile(times: list[float], share: float) -> float | None:
    return times[math.ceil(share * len(times)) - 1] if times else None

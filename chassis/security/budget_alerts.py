"""Reports budgets that reach 80 and 100 percent, once a month each: audit log, log, metric, and who asks for it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.base.money import plain
from chassis.observability.metrics import BUDGET_ALERTS
from chassis.security import audit
from chassis.security.budget_rules import rules
from chassis.security.ledger import Alert

log = structlog.get_logger(__name__)
Told = Callable[[Connection, Alert], None]
_told: dict[str, Told] = {}


def on_alert(name: str, told: Told) -> None:
    """Call `told(conn, alert)` in the transaction of every alert; it must not log, nor ask for the identity."""
    _told[name] = told


def line() -> dict[str, Any]:
    """Return an audit entry without a target; make it outside of the transaction."""
    return audit.entry("budget.alert", "", actor="budgets") | {"address": ""}


def record(conn: Connection, found: Sequence[Alert], blank: Mapping[str, Any]) -> None:
    """Tell of the alerts, and write them to the audit log as the last statements of their transaction."""
    for one in found:
        for told in _told.values():
            told(conn, one)
    for one in found:
        line = f"{one.subject}: {one.percent} % of {rules().currency} {plain(one.limit)} in {one.month}"
        audit.write(conn, {**blank, "target": line[: audit.MAX_CHARACTERS]})


def tell(found: Sequence[Alert]) -> None:
    """Log and count the alerts; call it after the commit."""
    for one in found:
        BUDGET_ALERTS.labels(str(one.percent)).inc()
        numbers = {"limit_micro_units": one.limit, "spent_micro_units": one.spent}
        log.warning("budget_alert", subject=one.subject, percent=one.percent, month=one.month, **numbers)

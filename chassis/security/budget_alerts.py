"""Reports budgets that reach 80 and 100 percent, once a month each: audit log, log, metric and signal."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from chassis.base.money import plain
from chassis.observability.metrics import BUDGET_ALERTS
from chassis.security import audit
from chassis.security.budget_rules import rules
from chassis.security.ledger import Alert
from chassis.security.signals import budget_alerted

log = structlog.get_logger(__name__)


def line() -> dict[str, Any]:
    """Return an audit entry without a target; make it outside of the transaction."""
    return audit.entry("budget.alert", "", actor="budgets") | {"address": ""}


def record(conn: Connection, found: Sequence[Alert], blank: Mapping[str, Any]) -> None:
    """Write the alerts to the audit log, as the last statements of their transaction."""
    for one in found:
        told = f"{one.subject}: {one.percent} % of {rules().currency} {plain(one.limit)} in {one.month}"
        audit.write(conn, {**blank, "target": told})


def tell(found: Sequence[Alert]) -> None:
    """Log, count and send the alerts; call it after the commit."""
    for one in found:
        BUDGET_ALERTS.labels(str(one.percent)).inc()
        numbers = {"limit_micro_units": one.limit, "spent_micro_units": one.spent}
        log.warning("budget_alert", subject=one.subject, percent=one.percent, month=one.month, **numbers)
        budget_alerted.send(one)

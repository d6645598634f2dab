"""Security: who sends a request or an event, what they may do, and how much of it.

Most modules are used as namespaces: `identity.current()`, `quotas.take(...)`, `audit.record(...)`.
"""

from chassis.security import (
    audit,
    bodies,
    budgets,
    identity,
    leaving,
    maintenance,
    ownership,
    quotas,
    request_rates,
    sealing,
    uploads,
)
from chassis.security.guard import needs, public
from chassis.security.proof import recently_proved

__all__ = [
    "audit",
    "bodies",
    "budgets",
    "identity",
    "leaving",
    "maintenance",
    "needs",
    "ownership",
    "public",
    "quotas",
    "recently_proved",
    "request_rates",
    "sealing",
    "uploads",
]

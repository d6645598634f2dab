"""Deletes what is older than it may be, a little at a time, so that nobody has to wait for it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from chassis.jobs import JobContext, job, registry
from chassis.jobs import store as jobs_store
from chassis.security import audit_store, quotas
from chassis.settings import Settings
from chassis.upkeep.batches import delete_in_batches

DAY_SECONDS = 86_400
QUOTA_DAYS = 7.0  # counts of the day are of no use after it
Delete = Callable[[Connection, float, int], int]


@dataclass(frozen=True)
class Rule:
    """Rows that go by age: for how many days they stay (0 is for ever), and how to delete some that are older.

    `delete(conn, before, limit)` deletes at most `limit` rows and returns how many; less than that ends the rule.
    """

    name: str
    days: Callable[[Settings], float]
    delete: Delete


_rules: dict[str, Rule] = {}


def keep(name: str, days: Callable[[Settings], float], delete: Delete) -> None:
    """Add rows of a feature; they go before the core's, which they may refer to."""
    _rules[name] = Rule(name, days, delete)


def rules() -> list[Rule]:
    """Return all rules in their order."""
    return [*_rules.values(), *CORE]


@job("retention", schedule=lambda settings: settings.retention_schedule, stall="requeue", max_attempts=3, missed="once")
def retention(context: JobContext, payload: dict[str, Any]) -> None:
    """Apply every rule."""
    settings: Settings = current_app.extensions["settings"]
    chosen = [(rule, days) for rule in rules() if (days := rule.days(settings)) > 0]
    deleted = {}
    for number, (rule, days) in enumerate(chosen, start=1):
        deleted[rule.name] = apply(rule, time.time() - days * DAY_SECONDS, context)
        told = ", ".join(f"{name}: {count}" for name, count in deleted.items())
        context.progress(number, len(chosen), f"deleted {told}")
    context.log.info("retention_done", deleted=deleted)


def apply(rule: Rule, before: float, context: JobContext) -> int:
    """Delete what is older than a time; return how many rows."""
    return delete_in_batches(lambda conn, limit: rule.delete(conn, before, limit), context.wait)


def _jobs(conn: Connection, before: float, limit: int) -> int:
    return jobs_store.delete_ended(conn, registry.deletable(), before=before, limit=limit)


CORE = (
    Rule("jobs", lambda settings: settings.retention_jobs_days, _jobs),
    Rule("audit", lambda settings: settings.retention_audit_days, audit_store.delete_entries),
    Rule("quota_days", lambda settings: QUOTA_DAYS, quotas.delete_days),
)

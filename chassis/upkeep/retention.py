"""Deletes rows that are older than their retention period, in small batches."""

from typing import Any

from sqlalchemy import Connection

from chassis import feedback
from chassis.base.times import DAY_SECONDS
from chassis.db import clock
from chassis.files import store as file_store
from chassis.jobs import JobContext, job, lines, registry
from chassis.jobs import store as jobs_store
from chassis.security import audit_store, budget_admin, quotas
from chassis.upkeep.batches import delete_in_batches
from chassis.wiring import Retained, current_settings, current_wiring

QUOTA_DAYS = 7.0  # counts of the day are of no use after it
LAPSED_DAYS = 1.0  # after its lease a reservation waits for a call that ends late


def rules() -> list[Retained]:
    """Return all rules in order; features' rows are deleted before the core's, which they may refer to."""
    return [*current_wiring().retained.values(), *CORE]


@job(
    "retention",
    schedule=lambda settings: settings.retention_schedule,
    stall="requeue",
    max_attempts=3,
    title="Delete old rows",
)
def retention(context: JobContext, payload: dict[str, Any]) -> None:
    """Apply every rule."""
    settings = current_settings()
    chosen = [(rule, days) for rule in rules() if (days := rule.days(settings)) > 0]
    deleted = {}
    for number, (rule, days) in enumerate(chosen, start=1):
        deleted[rule.name] = apply(rule, clock.now() - days * DAY_SECONDS, context)
        told = ", ".join(f"{name}: {count}" for name, count in deleted.items())
        context.progress(number, len(chosen), f"deleted {told}")
    context.log.info("retention_done", deleted=deleted)


def apply(rule: Retained, before: float, context: JobContext) -> int:
    """Delete a rule's rows that are older than a time; return how many."""
    return delete_in_batches(lambda conn, limit: rule.delete(conn, before, limit), context.wait)


def _jobs(conn: Connection, before: float, limit: int) -> int:
    return jobs_store.delete_ended(conn, registry.deletable(), before=before, limit=limit)


CORE = (
    Retained("jobs", lambda settings: settings.retention_jobs_days, _jobs),
    Retained("job_lines", lambda settings: settings.retention_job_lines_days, lines.delete_older),
    Retained("files", lambda settings: settings.retention_files_days, file_store.delete_older),
    Retained("feedback", lambda settings: settings.retention_feedback_days, feedback.delete_older),
    Retained("audit", lambda settings: settings.retention_audit_days, audit_store.delete_entries),
    Retained("quota_days", lambda settings: QUOTA_DAYS, quotas.delete_days),
    Retained("usage", lambda settings: settings.retention_usage_days, budget_admin.delete_days),
    Retained("budget_reservations", lambda settings: LAPSED_DAYS, budget_admin.delete_lapsed),
)

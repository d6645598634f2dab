"""The job kind that calls webhooks: each job is one message, retried with increasing pauses."""

import time
from typing import Any
from urllib.parse import urlsplit

from prometheus_client import Counter
from sqlalchemy import Connection, Row

from chassis.base.times import DAY_SECONDS
from chassis.db import db
from chassis.errors import AppError
from chassis.jobs import GiveUp, JobContext, job
from chassis.jobs.endings import on_end
from chassis.parts.webhooks import service, signing, store
from chassis.security import audit, budget_alerts

CALLS = Counter("app_webhook_calls_total", "Webhook calls, counting each attempt.", ["outcome"])
ATTEMPTS = 30  # two to four days
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 6 * 3600.0
GONE = 410  # the receiver wants no more calls


class NotDelivered(AppError):
    """A call failed and will be retried; the message says how."""

    code, status = "webhook_failed", 502


@job(
    service.KIND,
    stall="requeue",
    max_attempts=ATTEMPTS,
    backoff_seconds=FIRST_PAUSE_SECONDS,
    longest_backoff_seconds=LONGEST_PAUSE_SECONDS,
    priority=service.PRIORITY,
    in_quota=False,
    title="Call a webhook",
)
def deliver(context: JobContext, payload: dict[str, Any]) -> None:
    """Call the webhook once; raise NotDelivered, or GiveUp, unless it answers with a status from 200 to 299."""
    webhook = db.read(lambda conn: store.get(conn, payload["webhook"]))
    if webhook is None or webhook.disabled_at is not None:
        CALLS.labels("skipped").inc()
        raise GiveUp("The webhook was removed or disabled.", code="webhook_failed")
    outcome, good = _call(webhook, context.id, payload["body"].encode())
    now = time.time()
    context.write(lambda conn: (store.succeeded if good else store.failed)(conn, webhook.id, outcome, now))
    CALLS.labels("delivered" if good else "failed").inc()
    context.progress(int(good), 1, outcome)
    if not good:
        failure = GiveUp if _give_up(context, webhook, outcome, now) else NotDelivered
        raise failure(f"The webhook was not delivered: {outcome}.", code="webhook_failed")


def _call(webhook: Row[Any], job_id: str, body: bytes) -> tuple[str, bool]:
    """Return a short description of a call's outcome, and whether it succeeded."""
    from chassis.parts.webhooks import addresses, calls  # imported with the first call: they take time

    own = service.own()
    headers = signing.headers(webhook.secret, f"msg_{job_id}", int(time.time()), body)
    try:
        status = calls.post(
            urlsplit(webhook.url),
            lambda parts: addresses.resolved(parts, own.webhook_allow),
            headers,
            body,
            own.webhook_timeout_seconds,
        )
    except (addresses.Refused, calls.CallFailed) as error:
        return str(error), False
    return f"answered {status}", 200 <= status < 300


def _give_up(context: JobContext, webhook: Row[Any], outcome: str, now: float) -> bool:
    """Disable a webhook that has failed for days, or is gone; return whether it is disabled now."""
    days = service.own().webhook_give_up_days
    since = webhook.failing_since if webhook.failing_since is not None else now
    if now - since < days * DAY_SECONDS and outcome != f"answered {GONE}":
        return False
    line = audit.entry("webhook.disable", service.told(webhook.id, webhook.url), result="failing")

    def write(conn: Connection) -> bool:
        first = store.disable(conn, webhook.id, outcome, now)
        if first:
            audit.write(conn, line)
        return first

    if context.write(write):
        context.log.warning("webhook_disabled", webhook=webhook.id, owner=webhook.owner, reason=outcome)
    return True


on_end(service.KIND, service.tell)
budget_alerts.on_alert(service.KIND, service.tell_budget)

"""Owners' actions on their webhooks: register, list, remove, enable and test them."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from chassis import jobs
from chassis.base.times import iso
from chassis.db import db
from chassis.errors import Conflict, NotFound
from chassis.jobs import Job
from chassis.jobs.service import made
from chassis.jobs.store import insert as insert_job
from chassis.parts.webhooks import addresses, messages, signing, store
from chassis.parts.webhooks.settings import WebhookSettings
from chassis.security import audit, identity, ownership
from chassis.security.ledger import Alert
from chassis.wiring import current_settings

KIND = "webhook"
PRIORITY = -10  # below jobs that a person waits for
SHOWN = ("id", "owner", "url", "disabled_reason", "last_outcome")
TIMES = ("created_at", "disabled_at", "failing_since", "last_at")


def own() -> WebhookSettings:
    """Return the webhooks' settings."""
    settings = current_settings()
    return settings.section(WebhookSettings)


def create(url: str, owner: str | None = None) -> dict[str, Any]:
    """Store a webhook and return it with its secret, which is not shown again.

    Its owner is the current identity's, unless a command names another. Raises BadRequest and Conflict.
    """
    production = current_settings().production
    addresses.checked(url, own().webhook_allow, https_only=production)
    owner = identity.current().owner if owner is None else owner
    secret, webhook_id = signing.new_secret(), "wh_" + secrets.token_hex(6)
    values = {"id": webhook_id, "owner": owner, "url": url, "secret": secret, "created_at": time.time()}
    line, most = audit.entry("webhook.create", told(webhook_id, url)), own().webhooks_per_owner

    def write(conn: Connection) -> None:
        if store.count(conn, owner) >= most:
            raise Conflict(f"An owner may have at most {most} webhooks: remove one first.", code="too_many_webhooks")
        store.insert(conn, values)
        audit.write(conn, line)

    db.write(write)
    audit.tell(line)
    return shown(_get(webhook_id)) | {"secret": secret}


def listing() -> list[dict[str, Any]]:
    """Return the webhooks that the current identity may change, without secrets; for an admin, everybody's."""
    who = identity.current()
    owner = None if who.may(identity.ADMIN) else who.owner
    return [shown(row) for row in db.read(lambda conn: store.of_owner(conn, owner))]


def remove(webhook_id: str) -> dict[str, Any]:
    """Delete a webhook and return it; raise NotFound."""
    return shown(_change(webhook_id, "webhook.remove", store.remove))


def enable(webhook_id: str) -> dict[str, Any]:
    """Enable a webhook again and return it; raise NotFound."""
    _change(webhook_id, "webhook.enable", store.enable)
    return shown(_get(webhook_id))


def try_out(webhook_id: str) -> Job:
    """Queue a test call; raise NotFound, and Conflict while the webhook is disabled."""
    row = _own(webhook_id)
    if row.disabled_at is not None:
        raise Conflict("The webhook is disabled: enable it first.")
    return jobs.enqueue(KIND, {"webhook": webhook_id, "body": messages.trial()})


def tell(conn: Connection, job: Job) -> None:
    """Queue a call of each of the owner's webhooks, in the transaction that ends a job."""
    if job.kind == KIND:
        return
    _queue(conn, job.submitted_by, messages.job_ended(job))


def tell_budget(conn: Connection, alert: Alert) -> None:
    """Queue a call of each of the webhooks of a budget's key or account, in the transaction of the alert."""
    _queue(conn, alert.subject, messages.budget_reached(alert))


def shown(row: Row[Any]) -> dict[str, Any]:
    """Return a webhook as APIs and pages show it; times are ISO 8601 in UTC."""
    state = "disabled" if row.disabled_at is not None else "failing" if row.failing_since is not None else "good"
    return {n: getattr(row, n) for n in SHOWN} | {n: iso(getattr(row, n)) for n in TIMES} | {"state": state}


def told(webhook_id: str, url: str) -> str:
    """Return the text for the audit log: the paths and queries of webhooks are often secrets."""
    return f"{webhook_id} {addresses.shown(url)}"


def _queue(conn: Connection, owner: str, body: str) -> None:
    for webhook_id in store.enabled_ids(conn, owner):
        payload = {"webhook": webhook_id, "body": body}
        insert_job(conn, made(KIND, payload, submitted_by=owner, priority=PRIORITY))


def _get(webhook_id: str) -> Row[Any]:
    row = db.read(lambda conn: store.get(conn, webhook_id))
    if row is None:
        raise NotFound("There is no such webhook.")
    return row


def _own(webhook_id: str) -> Row[Any]:
    """Return a webhook that the current identity may change; raise NotFound or Forbidden."""
    row = _get(webhook_id)
    ownership.check_changed(row.owner, "webhook")
    return row


def _change(webhook_id: str, action: str, change: Callable[[Connection, str], bool]) -> Row[Any]:
    """Change a webhook, with an audit entry; return the webhook as it was before."""
    row = _own(webhook_id)
    line = audit.entry(action, told(webhook_id, row.url))

    def write(conn: Connection) -> bool:
        done = change(conn, webhook_id)
        if done:
            audit.write(conn, line)
        return done

    if not db.write(write):
        raise NotFound("There is no such webhook.")
    audit.tell(line)
    return row

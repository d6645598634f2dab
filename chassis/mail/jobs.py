"""The job that sends one message: retried for about an hour, unless the server refuses the message permanently."""

from typing import Any

from chassis.errors import BadRequest, Conflict
from chassis.jobs import GiveUp, JobContext, job
from chassis.mail import outbox
from chassis.wiring import current_settings


def register() -> None:
    """Register the kind of jobs that send."""
    waits = {"backoff_seconds": 5.0, "longest_backoff_seconds": 900.0}
    job(outbox.KIND, stall="requeue", max_attempts=10, in_quota=False, title=_title, **waits)(send)


def _title(payload: dict[str, Any]) -> str:
    return f"Email {payload['template']} to {payload['to']}"


def send(context: JobContext, payload: dict[str, Any]) -> None:
    """Send a message; a process that dies may have sent it, so it may arrive twice with the same Message-ID."""
    from chassis.mail import message, transport

    settings = current_settings()
    if not settings.sends_mail:
        raise GiveUp("SMTP_URL is not set.")
    try:
        values = outbox.opened(str(payload["values"]))
        transport.deliver(settings, message.compose(str(payload["to"]), str(payload["template"]), values, context.id))
    except (transport.Refused, BadRequest, Conflict) as error:
        raise GiveUp(error.message) from None
    context.log.info("mail_sent", template=payload["template"])
    context.progress(1, 1, "sent")

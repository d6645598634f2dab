"""A message from its templates: `NAME.txt`, whose first line is the subject, and `NAME.html` if there is one."""

import email.policy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

from flask import current_app, render_template
from jinja2 import TemplateNotFound

from chassis.errors import BadRequest
from chassis.wiring import current_settings

BLANKS = re.compile(r"\s+")
MAX_ADDRESS_CHARACTERS = 254  # RFC 5321, section 4.5.3.1.3


def compose(to: str, template: str, values: Mapping[str, Any], message_id: str = "") -> EmailMessage:
    """Return the message; raise BadRequest when the recipient is not one address.

    The same `message_id` at each attempt lets a mailbox recognise a message that arrives twice.
    """
    sender = current_settings().sender
    subject, _, text = render_template(f"{template}.txt", **values).strip().partition("\n")
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = sender, address(to)
    message["Subject"] = BLANKS.sub(" ", subject).strip()
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{message_id}@{sender.domain}>" if message_id else make_msgid(domain=sender.domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply
    message.set_content(f"{text.strip()}\n", cte="quoted-printable")
    if (html := _html(template, values)) is not None:
        message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def address(text: str) -> Address:
    """Return a recipient; raise BadRequest unless it is exactly one plain address, which no header can be hidden in."""
    try:
        found = Address(addr_spec=text) if text.isprintable() and len(text) <= MAX_ADDRESS_CHARACTERS else None
    except (ValueError, IndexError, MessageError):
        found = None
    if found is None or not found.username or not found.domain or found.addr_spec != text:
        raise BadRequest("An email address looks like name@example.org.", code="invalid_email")
    return found


def _html(template: str, values: Mapping[str, Any]) -> str | None:
    try:
        current_app.jinja_env.get_template(f"{template}.html")
    except TemplateNotFound:
        return None
    return render_template(f"{template}.html", **values)

"""What features do with e-mail: send a template to somebody, by a job or at once.

The libraries for messages and SMTP are imported by the first one, since most services send none.
"""

import json
from typing import Any

from chassis.jobs import Job, enqueue
from chassis.security import sealing
from chassis.wiring import current_settings

PURPOSE = "mail"  # of what is sealed
KIND = "mail"
"""The kind of the jobs that send messages."""


def ready() -> bool:
    """Return whether e-mail is sent: SMTP_URL is set."""
    return current_settings().sends_mail


def send(to: str, template: str, **values: Any) -> Job:
    """Store a job that sends the template `NAME.txt`, and `NAME.html` if there is one, to an address; return it.

    The values, which may contain links for single use, are sealed in the job's row. They are JSON. The job is tried
    again when the server cannot be reached. Raises BadRequest for what is not one address, OverQuota.
    """
    from chassis.mail import message

    message.address(to)
    sealed = sealing.seal(json.dumps(values).encode(), PURPOSE)
    return enqueue(KIND, {"to": to, "template": template, "values": sealed})


def send_now(to: str, template: str, **values: Any) -> None:
    """Send a template at once, in a command; raise BadRequest, or an AppError that says why it was not sent."""
    from chassis.mail import message, transport

    transport.deliver(current_settings(), message.compose(to, template, values))


def opened(sealed: str) -> dict[str, Any]:
    """Return the values of a job; raise Conflict when SECRET_KEY has changed since."""
    values: dict[str, Any] = json.loads(sealing.unseal(sealed, PURPOSE)[0])
    return values

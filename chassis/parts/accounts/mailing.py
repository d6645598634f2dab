"""Sends the links of invitations and for new passwords by e-mail, where that is on and the link's address is known."""

from chassis import mail
from chassis.jobs import Job
from chassis.parts.accounts import links
from chassis.parts.accounts.settings import AccountSettings
from chassis.security import hosts
from chassis.wiring import current_settings

TEMPLATES = {links.INVITATION: "accounts/mail/invitation", links.RESET: "accounts/mail/reset"}
HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400


def possible() -> bool:
    """Return whether links are sent; otherwise they are shown."""
    return mail.ready() and bool(hosts.link_base())


def send(email: str, purpose: str, secret: str) -> Job:
    """Store a job that sends a link."""
    return mail.send(email, TEMPLATES[purpose], **values(purpose, hosts.link_base() + links.path(purpose, secret)))


def send_now(email: str, purpose: str, url: str) -> None:
    """Send a link at once; raise AppError when it was not sent."""
    mail.send_now(email, TEMPLATES[purpose], **values(purpose, url))


def values(purpose: str, url: str) -> dict[str, str]:
    """Return what the templates are filled with."""
    own = current_settings().section(AccountSettings)
    seconds = own.invitation_seconds if purpose == links.INVITATION else own.reset_link_seconds
    return {"url": url, "lasts": lasting(seconds)}


def lasting(seconds: int) -> str:
    """Return a time in words, rounded down: `7 days`, `1 hour`."""
    for size, word in ((DAY_SECONDS, "day"), (HOUR_SECONDS, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{seconds // size} {word}{'s' if seconds // size > 1 else ''}"
    return f"{seconds} seconds"

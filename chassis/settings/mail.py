"""Where e-mail is handed over, and its sender."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr

from chassis.base import smtp_url
from chassis.settings.section import Problem, Section

if TYPE_CHECKING:
    from email.headerregistry import Address

    from chassis.settings.core import Settings


class MailSettings(Section):
    """E-mail"""

    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="The server that takes e-mail: `smtps://[user:password@]host:465`, `smtp+starttls://` (587), or "
        "`smtp://` (25) without TLS. In development `terminal:` prints it. Empty: links are shown instead of sent.",
    )
    mail_from: str = Field(
        "", description="The sender of e-mail, such as `no-reply@example.org` or `Name <no-reply@example.org>`."
    )
    smtp_timeout_seconds: float = Field(
        20, gt=0, le=600, description="An attempt to send fails when the server says nothing for this long."
    )

    @property
    def sends_mail(self) -> bool:
        """Return whether e-mail is sent."""
        return bool(self.smtp_url.get_secret_value())

    @property
    def sender(self) -> "Address":
        """Return MAIL_FROM."""
        return smtp_url.sender(self.mail_from)

    def problems(self) -> Iterable[Problem]:
        """Yield an unusable server or sender."""
        url = self.smtp_url.get_secret_value()
        if url and (problem := smtp_url.problem(url)):
            yield "SMTP_URL", problem
        if url and not self.mail_from and url != smtp_url.TERMINAL:
            yield "MAIL_FROM", "is missing: SMTP_URL is set"
        if self.mail_from and not smtp_url.is_sender(self.mail_from):
            yield "MAIL_FROM", "must be an address such as no-reply@example.org or Name <no-reply@example.org>"

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield what is not allowed in production."""
        if not (settings.production and self.sends_mail):
            return
        if self.smtp_url.get_secret_value() == smtp_url.TERMINAL:
            yield "SMTP_URL", "must not be terminal: in production, where logs would contain the links"
        if not settings.public_url:
            yield "PUBLIC_URL", "is missing: links in e-mail lead there (SMTP_URL is set)"

"""Signed webhooks: an owner's addresses are told when that owner's jobs end. Off unless WEBHOOKS is set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Add the routes, the command and the job kind where webhooks are on; secrets are hidden in logs anyway."""
    from chassis.parts.webhooks import signing
    from chassis.parts.webhooks.settings import WebhookSettings

    hooks.redact(signing.PREFIX, signing.SECRET)
    if not hooks.settings.section(WebhookSettings).webhooks:
        return
    from chassis.parts.webhooks import api, cli, jobs, leaver, pages  # noqa: F401 - jobs makes its kind known

    hooks.pages(api.blueprint, pages.blueprint)
    hooks.navigation("Webhooks", "/webhooks")
    hooks.commands(cli.group)
    hooks.leaving(leaver.PART)

"""Signed webhooks: an owner's URLs are called when jobs end or a budget is spent. Off unless WEBHOOKS is set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the routes, the command and the job kind if webhooks are on; secrets are always hidden in logs."""
    from chassis.parts.webhooks.settings import PREFIX, SECRET, WebhookSettings

    hooks.redact(PREFIX, SECRET)
    if not hooks.settings.section(WebhookSettings).webhooks:
        return
    from chassis.parts.webhooks import api, cli, jobs, leaver, pages  # noqa: F401 - importing jobs registers its kind

    hooks.pages(api.blueprint, pages.blueprint)
    hooks.navigation("Webhooks", "/webhooks")
    hooks.commands(cli.group)
    hooks.leaving(leaver.PART)

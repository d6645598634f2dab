"""Signed webhooks: an owner's addresses are told when that owner's jobs end. Off unless WEBHOOKS is set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def register(app: "Flask") -> None:
    """Add the routes, the command and the job kind where webhooks are on; else nothing is imported."""
    from chassis.parts.webhooks.settings import WebhookSettings

    if not app.extensions["settings"].section(WebhookSettings).webhooks:
        return
    from chassis.parts.webhooks import api, cli, jobs, leaver, pages  # noqa: F401 - jobs makes its kind known

    app.register_blueprint(api.blueprint)
    app.register_blueprint(pages.blueprint)
    app.extensions["nav"].append({"label": "Webhooks", "href": "/webhooks"})
    leaver.install(app)
    app.cli.add_command(cli.group)

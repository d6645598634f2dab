"""The page of a person's webhooks."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from chassis.parts.webhooks import service
from chassis.parts.webhooks.addresses import MAX_URL
from chassis.security.guard import needs
from chassis.security.identity import SUBMIT
from chassis.web import Text, form_body, hand_over, handed_over, shown_again

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
STATUS = {
    "good": "succeeded",
    "failing": "interrupted",
    "disabled": "failed",
}  # the status words whose colours are used
DONE = {
    "tested": "A test call has been queued. Reload the page to see its outcome.",
    "enabled": "The webhook is enabled.",
    "removed": "The webhook has been removed.",
}


class WebhookForm(BaseModel):
    """The form for a new webhook."""

    url: Text = Field(min_length=1, max_length=MAX_URL)


@blueprint.get("")
@needs(SUBMIT)
def page() -> str:
    """Show the webhooks and the form for a new one."""
    return _page(secret=handed_over().get("secret", ""))


@blueprint.post("")
@needs(SUBMIT)
@shown_again(lambda: _page(), field="url")
def create() -> Response:
    """Register a webhook, and show its secret once on the page of all webhooks."""
    made = service.create(form_body(WebhookForm).url)
    return hand_over(url_for("webhooks.page"), secret=made["secret"])


@blueprint.post("/<webhook_id>/test")
@needs(SUBMIT)
def try_out(webhook_id: str) -> Response:
    """Send a test message."""
    service.try_out(webhook_id)
    return redirect(url_for("webhooks.page", done="tested"), 303)


@blueprint.post("/<webhook_id>/enable")
@needs(SUBMIT)
def enable(webhook_id: str) -> Response:
    """Enable a webhook again."""
    service.enable(webhook_id)
    return redirect(url_for("webhooks.page", done="enabled"), 303)


@blueprint.post("/<webhook_id>/remove")
@needs(SUBMIT)
def remove(webhook_id: str) -> Response:
    """Remove a webhook."""
    service.remove(webhook_id)
    return redirect(url_for("webhooks.page", done="removed"), 303)


def _page(secret: str = "") -> str:
    shown: dict[str, Any] = {"webhooks": service.listing(), "secret": secret}
    shown |= {"status": STATUS, "done": DONE.get(request.args.get("done", ""))}
    return render_template("webhooks/page.html", **shown)

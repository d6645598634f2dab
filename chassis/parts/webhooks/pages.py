"""The page of a person's webhooks."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from chassis.errors import AppError
from chassis.parts.webhooks import service
from chassis.parts.webhooks.addresses import MAX_URL
from chassis.security.guard import needs
from chassis.security.identity import SUBMIT
from chassis.web.body import Text, form_body

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
    return _page()


@blueprint.post("")
@needs(SUBMIT)
def create() -> tuple[str, int, dict[str, str]]:
    """Register a webhook and show its secret once: browsers do not store the page."""
    url = form_body(WebhookForm).url
    try:
        made = service.create(url)
    except AppError as error:
        return _page(error=error.message, url=url), error.status, {}
    return _page(secret=made["secret"]), 201, {"Cache-Control": "no-store"}


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


def _page(secret: str = "", error: str = "", url: str = "") -> str:
    shown: dict[str, Any] = {"webhooks": service.listing(), "secret": secret, "error": error, "url": url}
    shown |= {"status": STATUS, "done": DONE.get(request.args.get("done", ""))}
    return render_template("webhooks/page.html", **shown)

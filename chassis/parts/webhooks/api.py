"""The HTTP interface to webhooks: an owner's own, for whoever may submit."""

from typing import Literal

from flask import Blueprint, Response, jsonify
from pydantic import AwareDatetime, BaseModel, Field

from chassis.parts.webhooks import service
from chassis.parts.webhooks.addresses import MAX_URL
from chassis.security.guard import needs
from chassis.security.identity import SUBMIT
from chassis.web.body import Text, json_body
from chassis.web.openapi import describe

blueprint = Blueprint("webhooks_api", __name__, url_prefix="/api/webhooks")
NOT_FOUND = "There is no such webhook, or it is not yours."


class NewWebhook(BaseModel):
    """Where to tell of jobs that end."""

    url: Text = Field(min_length=1, max_length=MAX_URL, description="https, or http where that is allowed.")


class WebhookResponse(BaseModel):
    """A webhook."""

    id: str
    owner: str
    url: str
    state: Literal["good", "failing", "disabled"]
    created_at: AwareDatetime
    failing_since: AwareDatetime | None = Field(description="The first failure since the last success.")
    disabled_at: AwareDatetime | None
    disabled_reason: str
    last_at: AwareDatetime | None
    last_outcome: str = Field(description="The outcome of the last call, in a few words.")


class CreatedWebhook(WebhookResponse):
    """A new webhook, with what its calls are signed by."""

    secret: str = Field(description="Shown only once.")


class Webhooks(BaseModel):
    """All webhooks that are yours; of an admin everybody's."""

    items: list[WebhookResponse]


class Trial(BaseModel):
    """The job that makes the call."""

    job_id: str


@blueprint.get("")
@needs(SUBMIT)
@describe(answers={200: Webhooks})
def listing() -> Response:
    """Return your webhooks, oldest first."""
    return jsonify(items=service.listing())


@blueprint.post("")
@needs(SUBMIT)
@describe(body=NewWebhook, answers={201: CreatedWebhook, 409: "You have too many webhooks."})
def create() -> tuple[Response, int, dict[str, str]]:
    """Register an address that is called when your jobs end; only this response shows the secret."""
    return jsonify(service.create(json_body(NewWebhook).url)), 201, {"Cache-Control": "private, no-store"}


@blueprint.delete("/<webhook_id>")
@needs(SUBMIT)
@describe(answers={200: WebhookResponse, 404: NOT_FOUND})
def remove(webhook_id: str) -> Response:
    """Remove a webhook and return it; queued calls are not made."""
    return jsonify(service.remove(webhook_id))


@blueprint.post("/<webhook_id>/enable")
@needs(SUBMIT)
@describe(answers={200: WebhookResponse, 404: NOT_FOUND})
def enable(webhook_id: str) -> Response:
    """Enable a disabled webhook."""
    return jsonify(service.enable(webhook_id))


@blueprint.post("/<webhook_id>/test")
@needs(SUBMIT)
@describe(answers={202: Trial, 404: NOT_FOUND, 409: "The webhook is disabled."})
def try_out(webhook_id: str) -> tuple[Response, int]:
    """Send a test call of the type `webhook.test`; its job shows the outcome."""
    return jsonify(job_id=service.try_out(webhook_id).id), 202

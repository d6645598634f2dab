"""The form and the API for feedback, and its page and export for admins; offered with FEEDBACK=true."""

import json
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, jsonify, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response as AnyResponse

from chassis import feedback
from chassis.security.guard import public
from chassis.security.request_rates import limit
from chassis.settings import Settings
from chassis.web.body import Text, form_body, json_body
from chassis.web.openapi.describe import describe
from chassis.web.streaming import joined
from chassis.wiring import Link, wiring_of

blueprint = Blueprint("feedback", __name__)
RATES = ("5 per minute", "50 per day")
LINES = 100
LAST_ID = 2**31 - 1


class NewFeedback(BaseModel):
    """What somebody writes."""

    text: Text = Field(min_length=1, max_length=5_000, description="The text. Nothing about its author is stored.")
    page: Text = Field("", max_length=200, description="The page that it is about.")


class Stored(BaseModel):
    """That it was stored."""

    stored: bool


@blueprint.post("/api/feedback")
@public
@limit(*RATES)
@describe(body=NewFeedback, answers={201: Stored})
def send() -> tuple[Response, int]:
    """Send feedback."""
    given = json_body(NewFeedback)
    feedback.add(given.text, given.page)
    return jsonify(stored=True), 201


@blueprint.post("/feedback")
@public
@limit(*RATES)
def send_form() -> AnyResponse:
    """Store what was written into the form, and redirect to thanks."""
    given = form_body(NewFeedback)
    feedback.add(given.text, given.page)
    return redirect(url_for("feedback.thanks"), 303)


@blueprint.get("/feedback/thanks")
@public
def thanks() -> str:
    """Say thanks."""
    return render_template("feedback/thanks.html")


@blueprint.get("/admin/feedback")
def show() -> str:
    """Show feedback, newest first."""
    asked = request.args.get("before", type=int)
    before = None if asked is None else min(max(asked, 0), LAST_ID)
    lines = feedback.listing(LINES, before)
    return render_template("admin/feedback.html", lines=lines, full=len(lines) == LINES)


@blueprint.get("/admin/feedback.jsonl")
@limit("30 per minute")
def export() -> Response:
    """Download all feedback, a line of JSON for each."""
    headers = {"Content-Disposition": "attachment; filename=feedback.jsonl"}
    return Response(joined(_lines()), content_type="application/x-ndjson", headers=headers)


def _lines() -> Iterator[str]:
    return (json.dumps(one, ensure_ascii=False) + "\n" for one in feedback.everything())


def install(app: Flask, settings: Settings) -> None:
    """Offer the form, the API and the admins' page, if FEEDBACK is on."""
    app.jinja_env.globals["feedback_on"] = settings.feedback
    if settings.feedback:
        app.register_blueprint(blueprint)
        wiring_of(app).admin_pages.append(Link("Feedback", "/admin/feedback"))

"""/api/asyncapi.json for programs, and /api/docs/events for people."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from pydantic import RootModel

from chassis.base.service import current as service
from chassis.web.asyncapi.document import Schema, document
from chassis.web.asyncapi.page import events
from chassis.web.openapi.describe import Answer, describe

blueprint = Blueprint("events_description", __name__, url_prefix="/api")


class AsyncAPI(RootModel[dict[str, Any]]):
    """An AsyncAPI 3.0 document."""


@blueprint.get("/asyncapi.json")
@describe(answers={200: AsyncAPI})
def asyncapi() -> Response:
    """Return the description of the events, for programs."""
    return jsonify(_document())


@blueprint.get("/docs/events")
@describe(answers={200: Answer(text="A page without scripts.", media="text/html; charset=utf-8")})
def docs() -> str:
    """Show the description of the events as a page."""
    taken, told = events(_document())
    return render_template("events.html", taken=taken, told=told)


def _document() -> Schema:
    return document(service().name, request.host, secure=request.is_secure)

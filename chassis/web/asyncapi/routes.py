"""/api/asyncapi.json for programs, and /api/docs/events for people."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from pydantic import RootModel

from chassis.base.service import current as service
from chassis.web.asyncapi.document import document, servers
from chassis.web.asyncapi.page import events
from chassis.web.openapi.describe import Answer, describe
from chassis.web.openapi.schemas import Schema
from chassis.wiring import current_wiring

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
    """Return the document, which is generated on the first request, with the address of this one."""
    wiring = current_wiring()
    if wiring.asyncapi is None:
        wiring.asyncapi = document(service().name, request.host, secure=request.is_secure)
    return wiring.asyncapi | {"servers": servers(request.host, secure=request.is_secure)}

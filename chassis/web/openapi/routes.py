"""/api/openapi.json for programs, and /api/docs for people."""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from pydantic import RootModel

from chassis.base.service import current as service
from chassis.security import hosts, identity
from chassis.web.openapi.describe import Answer, describe
from chassis.web.openapi.document import document
from chassis.web.openapi.page import groups
from chassis.web.openapi.schemas import Schema
from chassis.wiring import current_settings, current_wiring

blueprint = Blueprint("description", __name__, url_prefix="/api")


class OpenAPI(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


@blueprint.get("/openapi.json")
@describe(answers={200: OpenAPI})
def openapi() -> Response:
    """Return this description, for programs."""
    return jsonify(_document())


@blueprint.get("/docs")
@describe(answers={200: Answer(text="A page without scripts.", media="text/html; charset=utf-8")})
def docs() -> str:
    """Show this description as a page."""
    found = _document()
    address, keys = hosts.base_url(), identity.anonymous(current_settings(), "").scopes
    return render_template("api.html", groups=groups(found, address), guarded=not keys)


def _document() -> Schema:
    """Return the document, which is generated on the first request, when every feature is registered."""
    wiring = current_wiring()
    if wiring.openapi is None:
        wiring.openapi = document(current_app._get_current_object(), service().name)  # type: ignore[attr-defined]
    return wiring.openapi

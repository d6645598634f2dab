"""The first page, and the functions available to every template."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from chassis.base.money import plain
from chassis.base.service import current as service
from chassis.base.times import iso
from chassis.security import identity, maintenance
from chassis.security.guard import public
from chassis.wiring import current_wiring

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> str | AnyResponse:
    """Redirect to the first feature, or say how to add one."""
    nav = current_wiring().navigation
    return redirect(nav[0].href) if nav else render_template("welcome.html")


@blueprint.get("/favicon.ico")
@public
def favicon() -> Response:
    """Serve the icon at the path where browsers request it."""
    return current_app.send_static_file("favicon.svg")


@blueprint.get("/robots.txt")
@public
def robots() -> Response:
    """Exclude the API from search engines."""
    return Response("User-agent: *\nDisallow: /api/\n", content_type="text/plain; charset=utf-8")


@blueprint.app_context_processor
def _common() -> dict[str, Any]:
    brand = current_wiring().brand()
    known: dict[str, Any] = {"app_name": _named(brand), "brand": brand}
    known |= {"version": service().version, "me": identity.current()}
    wiring = current_wiring()
    known |= {"nav": wiring.navigation, "admin_pages": wiring.admin_pages, "header": wiring.header}
    return known | {"sign_in_url": wiring.sign_in_url, "maintenance": maintenance.reason()}


def app_name() -> str:
    """Return the service's name."""
    return _named(current_wiring().brand())


def _named(brand: Mapping[str, str]) -> str:
    return brand.get("name") or service().name


@blueprint.app_template_filter()
def money(micro_units: int) -> str:
    """Format an amount in micro-units, such as 12.50."""
    return plain(micro_units)


@blueprint.app_template_filter()
def day_and_time(given: float | str | None) -> Markup:
    """Format a time, in seconds since 1970 or as ISO 8601: in UTC, and in local time where times.js runs."""
    text = iso(given) if isinstance(given, float) else given
    shown = Markup('<time datetime="{}">{} UTC</time>')
    return shown.format(text, text[:16].replace("T", " ")) if text else Markup("-")

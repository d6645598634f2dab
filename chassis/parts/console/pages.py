"""The page itself; what lives on it comes by socket."""

from itertools import groupby
from typing import Any

from flask import Blueprint, current_app, render_template

from chassis import effective
from chassis.jobs import registry
from chassis.jobs.model import STATES
from chassis.parts.console import stats
from chassis.parts.console.brand import Brands
from chassis.security import audit, stale_keys
from chassis.security.guard import needs
from chassis.security.identity import ADMIN

FILES: dict[str, Any] = {"static_folder": "static/console", "static_url_path": "/static/features/console"}
blueprint = Blueprint("console", __name__, template_folder="templates", **FILES)
AUDIT_LINES = 8


@blueprint.get("/admin/console")
@needs(ADMIN)
def show() -> str:
    """Show the console."""
    brands: Brands = current_app.extensions["brands"]
    return render_template(
        "console/console.html",
        about=stats.about(),
        states=STATES,
        kinds=sorted(registry.names(cpu_bound=True)),
        own=brands.present(),
        groups=_groups(),
        lines=audit.listing(limit=AUDIT_LINES),
        stale=stale_keys.reasons(),
    )


def _groups() -> list[tuple[str, list[effective.Effective]]]:
    """Return the settings in force, in groups."""
    found = effective.listing(current_app.extensions["settings"])
    return [(name, list(some)) for name, some in groupby(found, key=lambda one: one.group)]

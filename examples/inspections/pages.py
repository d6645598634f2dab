"""The page."""

from flask import Blueprint, render_template

from app.features.inspections import events, service
from app.features.inspections.settings import InspectionSettings
from chassis.wiring import current_settings

blueprint = Blueprint("inspections", __name__)


@blueprint.get("/inspections")
def index() -> str:
    """Show the page."""
    settings = current_settings()
    given = {"room": events.room(), "types": service.TYPES, "limits": settings}
    own = settings.section(InspectionSettings)
    return render_template("inspections/index.html", classifier=own.inspection_classifier, **given)

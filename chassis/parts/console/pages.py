"""The console's page; its live content comes by socket."""

from itertools import groupby

from flask import Blueprint, render_template

from chassis import effective
from chassis.jobs import registry
from chassis.jobs.model import STATES
from chassis.parts.console import stats
from chassis.parts.console.brand import Brands
from chassis.security import audit, stale_keys
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.wiring import current_settings, kept

blueprint = Blueprint("console", __name__)
AUDIT_LINES = 8


@blueprint.get("/admin/console")
@needs(ADMIN)
def show() -> str:
    """Show the console."""
    return render_template(
        "console/console.html",
        about=stats.about(),
        states=STATES,
        kinds=sorted(registry.names(cpu_bound=True)),
        own=kept(Brands).present(),
        groups=_groups(),
        lines=audit.listing(limit=AUDIT_LINES),
        stale=stale_keys.reasons(),
        schedule_zone=current_settings().schedule_time_zone,
    )


def _groups() -> list[tuple[str, list[effective.Effective]]]:
    """Return the settings in force by group."""
    found = effective.listing(current_settings())
    return [(name, list(some)) for name, some in groupby(found, key=lambda one: one.group)]

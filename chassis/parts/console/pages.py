"""The console's pages; their live content comes by socket."""

from itertools import groupby
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from chassis import effective
from chassis.parts.console import listing, stats
from chassis.parts.console.brand import Brands
from chassis.parts.console.shown import page
from chassis.security import audit, keys, stale_keys
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.web import Text, query_parameters
from chassis.wiring import current_settings, current_wiring, kept

blueprint = Blueprint("console", __name__, url_prefix="/admin/console")
AUDIT_LINES, FAILED_JOBS, MOST_SHOWN = 8, 5, 200


class Search(BaseModel):
    """What is looked for."""

    q: Text = Field("", max_length=200)


@blueprint.get("")
@needs(ADMIN)
def show() -> Response:
    """Show the overview: health, charts, the last failed jobs, and recent activity."""
    lines, failed = audit.listing(limit=AUDIT_LINES), listing.last_failed(FAILED_JOBS)
    return page("overview", about=stats.about(), failed=failed, lines=lines, stale=stale_keys.reasons())


@blueprint.get("/upstream")
@needs(ADMIN)
def upstream() -> Response:
    """Show the state of the outside API."""
    return page("upstream")


@blueprint.get("/people")
@needs(ADMIN)
def people() -> Response:
    """Show who is online, and search accounts, invitations and keys."""
    text = query_parameters(Search).q.strip()
    directory, found = current_wiring().directory, [key for key in keys.listing() if _is_about(key, text)]
    known = None if directory is None else directory(text, MOST_SHOWN + 1)
    return page("people", q=text, people=known, keys=found, most=MOST_SHOWN, stale=stale_keys.reasons())


@blueprint.get("/settings")
@needs(ADMIN)
def settings() -> Response:
    """Show the settings in force, which can be searched, and the form for the brand."""
    return page("settings", q=query_parameters(Search).q.strip(), groups=_groups(), own=kept(Brands).present())


def _is_about(key: dict[str, Any], text: str) -> bool:
    told = (f"ak_{key['id']}", key["name"], key["owner"], key["made_by"])
    return any(text.lower() in one.lower() for one in told)


def _groups() -> list[tuple[str, list[effective.Effective]]]:
    """Return the settings in force by group."""
    found = effective.listing(current_settings())
    return [(name, list(some)) for name, some in groupby(found, key=lambda one: one.group)]

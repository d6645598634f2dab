"""The admin pages of the core: API keys, and the audit log. Features add theirs with `hooks.admin_page`."""

from decimal import Decimal

from flask import Blueprint, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from chassis.base.money import micro
from chassis.base.times import DAY_SECONDS
from chassis.db import clock
from chassis.security import audit, keys, stale_keys
from chassis.security.identity import ADMIN, READ, SCOPES, SUBMIT
from chassis.security.proof import recently_proved
from chassis.web import once
from chassis.web.again import shown_again
from chassis.web.body import Text, form_body
from chassis.wiring import Link, current_wiring

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
LINES = 100
LAST_ID = 2**63 - 1  # of any table
SCOPE_WORDS = {SUBMIT: "submit and read", READ: "read only", ADMIN: "everything"}


class KeyForm(BaseModel):
    """The form for a new key."""

    name: Text = Field(min_length=1, max_length=200)
    owner: Text = Field("", max_length=200)
    scope: Text = SUBMIT
    days: int = Field(0, ge=0, le=3_650)
    per_second: float = Field(0, ge=0, le=1e6, allow_inf_nan=False)
    monthly_budget: Decimal = Field(Decimal(0), ge=0, le=100_000_000, decimal_places=6)


class LastDays(BaseModel):
    """The number of days until a key ends."""

    days: float = Field(ge=0, le=3_650, allow_inf_nan=False)


def pages() -> list[Link]:
    """Return the navigation entries of the admin pages; features append theirs."""
    return [Link("API keys", "/admin/keys"), Link("Audit log", "/admin/audit")]


@blueprint.get("")
def index() -> Response:
    """Redirect to the first admin page."""
    return redirect(current_wiring().admin_pages[0].href)


@blueprint.get("/keys")
def api_keys() -> str:
    """Show all keys and the form for a new one."""
    return _keys_page(made=once.handed_over().get("key", ""))


@blueprint.post("/keys")
@recently_proved
@shown_again(lambda: _keys_page(), field="name")
def create_key() -> Response:
    """Create a key, and show it once on the page of all keys."""
    form = form_body(KeyForm)
    ends = clock.now() + form.days * DAY_SECONDS if form.days else None
    new = keys.NewKey(form.name, (form.scope,), form.owner, form.per_second, micro(form.monthly_budget), ends)
    return once.hand_over(url_for("admin.api_keys"), key=keys.create(new))


@blueprint.post("/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    """Revoke a key."""
    keys.revoke(key_id)
    return redirect(url_for("admin.api_keys"), 303)


@blueprint.post("/keys/<key_id>/expire")
@recently_proved  # a later end makes an expired key valid again
def expire_key(key_id: str) -> Response:
    """Set a key to expire in some days."""
    keys.expire(key_id, clock.now() + form_body(LastDays).days * DAY_SECONDS)
    return redirect(url_for("admin.api_keys"), 303)


@blueprint.get("/audit")
def audit_log() -> str:
    """Show the audit log, newest first."""
    asked = request.args.get("before", type=int)
    before = None if asked is None else min(max(asked, 0), LAST_ID)
    lines = audit.listing(limit=LINES, before=before)
    return render_template("admin/audit.html", lines=lines, full=len(lines) == LINES, before=before)


def _keys_page(made: str = "") -> str:
    return render_template(
        "admin/keys.html", keys=keys.listing(), stale=stale_keys.reasons(), scopes=SCOPE_WORDS, made=made, all=SCOPES
    )

"""The pages of a person's own account, and signing out."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from chassis.errors import AppError, Unauthorized
from chassis.parts.accounts import factors, people, sessions, tries
from chassis.parts.accounts.settings import OidcSettings
from chassis.security import budget_admin, guard, identity, maintenance, quotas, spending
from chassis.security.guard import public
from chassis.security.identity import READ, Identity
from chassis.wiring import current_settings

blueprint = Blueprint("own_account", __name__)


@blueprint.get("/account")
@public
def account() -> str:
    """Show the account: its sessions, its quotas' use, and the form for a new password."""
    return _page(_person())


@blueprint.post("/account/password")
@public
def password() -> Response | tuple[str, int]:
    """Change the password."""
    who = _person()
    try:
        new = people.repeated(request.form.get("password", ""), request.form.get("again", ""))
        cookie = people.change_password(who, request.form.get("current", ""), new)
    except AppError as error:
        return _page(who, error.message), error.status
    return sessions.give(redirect(url_for("own_account.account", changed=1), 303), cookie)


@blueprint.post("/account/sessions/<session_id>/end")
@public
def end(session_id: str) -> Response:
    """End one of the person's own sessions."""
    people.end_session(_person(), session_id)
    return redirect(url_for("own_account.account"), 303)


@blueprint.post("/sign-out")
@public
@maintenance.allow
def sign_out() -> Response:
    """End this session; without one there is nothing to end."""
    who = identity.current()
    if who.session:
        people.sign_out(who)
    return _out()


@blueprint.post("/sign-out-everywhere")
@public
@maintenance.allow
def sign_out_everywhere() -> Response:
    """End all sessions of the account, including this one."""
    people.sign_out_everywhere(_person())
    return _out()


def _page(who: Identity, error: str = "") -> str:
    in_use = current_settings().section(OidcSettings).password_sign_in
    passwords = in_use and people.has_password(who)
    shown = {"who": who, "sessions": people.own_sessions(who), "error": error, "changed": "changed" in request.args}
    shown |= {"factors": factors.owned(who.id), "tries": tries.failed(who), "usage": quotas.usage(who.owner)}
    shown |= {"budget": budget_admin.standings(who.owner)[0], "models": spending.of_month(who.owner)}
    return render_template("accounts/account.html", passwords=passwords, **shown)


def _person() -> Identity:
    """Return the signed-in person; visitors and keys have no account."""
    who = identity.current()
    if who.kind != sessions.KIND:
        raise Unauthorized("Please sign in to see your account.")
    if who.gate:
        raise guard.refusal(who, READ)
    return who


def _out() -> Response:
    return sessions.take(redirect(url_for("accounts.sign_in"), 303))

"""The pages that ask for proof: the second step of signing in, and again before the most dangerous actions."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from chassis.errors import AppError, TooManyRequests, Unauthorized
from chassis.parts.accounts import factors, gates, passkeys, people, proving, sessions
from chassis.parts.accounts.local_path import local_path
from chassis.parts.accounts.proving import Shown
from chassis.parts.accounts.settings import OidcSettings
from chassis.security import guard, identity, maintenance
from chassis.security.bodies import FORM
from chassis.security.csrf import FIELD
from chassis.security.guard import public
from chassis.security.identity import READ, Identity
from chassis.wiring import current_settings

blueprint = Blueprint("account_proof", __name__)
Page = str | Response | tuple[str, int, dict[str, str]]
OURS = "proof_"  # prefix of our own fields among those of the interrupted form


@blueprint.get(gates.SHOW)
@public
def second_step() -> Page:
    """Ask for the second factor."""
    who = identity.current()
    return _second_step(who) if who.gate == gates.SHOW else redirect(local_path(request.args.get("next")))


@blueprint.post(gates.SHOW)
@public
@maintenance.allow
def finish() -> Page:
    """Finish signing in, and redirect to the page that the person wanted."""
    who, target = identity.current(), local_path(request.form.get("next"))
    if who.gate != gates.SHOW:
        return redirect(target, 303)
    try:
        cookie = proving.show_factor(who, _shown())
    except AppError as error:
        return _second_step(who, error.message), error.status, _later(error)
    return sessions.give(redirect(target, 303), cookie)


@blueprint.get("/account/proof")
@public
def ask() -> str:
    """Ask for proof again."""
    return _proof(_person())


@blueprint.post("/account/proof")
@public
@maintenance.allow
def prove() -> Page:
    """Continue what was interrupted: the browser sends an interrupted form again to its original URL."""
    who, target = _person(), local_path(request.form.get("proof_next"))
    try:
        proving.prove(who, _shown())
    except AppError as error:
        return _proof(who, error.message), error.status, _later(error)
    return redirect(target, 307 if request.form.get("proof_repeat") else 303)


def interrupt() -> Response | None:
    """Return the page that asks for proof before this request; None when the request could not continue afterwards."""
    here, who = request.full_path.removesuffix("?"), identity.current()
    if who.kind != sessions.KIND:
        return None
    if request.method == "GET":
        return make_response(redirect(url_for("account_proof.ask", proof_next=here)))
    if request.mimetype != FORM or who.gate == gates.SHOW:
        return None
    return make_response(_proof(who, next=here, repeat="1"), 401)


def _second_step(who: Identity, error: str = "") -> str:
    shown: dict[str, Any] = {"error": error, "next": local_path(request.values.get("next"))}
    return render_template("accounts/second_factor.html", **shown, **_ways(who))


def _proof(who: Identity, error: str = "", **going: str) -> str:
    """Show the page with all fields of the interrupted form, to be sent again.

    The request to send it again is read from our own form only: a link on another site could contain any form.
    """
    going = going or {"next": request.values.get("proof_next", ""), "repeat": request.form.get("proof_repeat", "")}
    going = {"next": local_path(going["next"]), "repeat": going["repeat"]}
    kept = [(name, value) for name, value in request.form.items(multi=True) if not name.startswith((OURS, FIELD))]
    hidden = [(OURS + name, value) for name, value in going.items()] + kept
    again = "/account" if going["repeat"] else going["next"]  # the provider's page loses the interrupted form
    shown = {"passwords": people.has_password(who), "provider": _provider(), "again": again}
    return render_template("accounts/proof.html", who=who, error=error, hidden=hidden, **shown, **_ways(who))


def _provider() -> str:
    doors = current_settings().section(OidcSettings)
    return doors.oidc_name if doors.oidc_issuer else ""


def _ways(who: Identity) -> dict[str, Any]:
    """Return the ways in which a person can give proof."""
    owned = factors.owned(who.id)
    can_sign = owned.passkeys and passkeys.offered()
    options = passkeys.options_to_show(who, owned.all) if can_sign else ""
    return {"app": owned.app, "options": options, "codes_left": owned.codes_left}


def _shown() -> Shown:
    form = request.form
    return Shown(**{name: form.get(OURS + name, "") for name in ("password", "code", "recovery", "passkey")})


def _person() -> Identity:
    who = identity.current()
    if who.kind != sessions.KIND:
        raise Unauthorized("Please sign in to see your account.")
    if who.gate == gates.SHOW:
        raise guard.refusal(who, READ)
    return who


def _later(error: AppError) -> dict[str, str]:
    return {"Retry-After": f"{error.retry_after_seconds:.0f}"} if isinstance(error, TooManyRequests) else {}

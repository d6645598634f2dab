"""The pages for a person's own second factors: an authenticator app, passkeys and recovery codes."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from chassis.errors import AppError, Unauthorized
from chassis.parts.accounts import factors, gates, passkeys, sessions, totp
from chassis.parts.accounts.factors import Changed
from chassis.parts.accounts.local_path import local_path
from chassis.security import guard, identity
from chassis.security.guard import public
from chassis.security.identity import READ, Identity
from chassis.security.proof import recently_proved
from chassis.web import once
from chassis.web.pages import app_name

blueprint = Blueprint("account_factors", __name__, url_prefix=gates.SET_UP)
Page = str | Response | tuple[str, int]
QR: dict[str, Any] = {"scale": 5, "border": 4, "dark": "#000", "light": "#fff", "svgclass": "qr", "title": "QR code"}
DONE = {
    "added": "The second factor is set up, and all other sessions have ended.",
    "removed": "The second factor is removed, and all other sessions have ended.",
    "renamed": "The passkey has its new name.",
}


@blueprint.get("")
@public
def show() -> str:
    """Show the account's second factors, and those that can be added."""
    return _overview(_person())


@blueprint.get("/authenticator")
@public
@recently_proved
def authenticator() -> str:
    """Show the QR code that an authenticator app reads."""
    return _authenticator(_person())


@blueprint.post("/authenticator")
@public
@recently_proved
def confirm() -> Page:
    """Set the app up after a code has proved that it works."""
    who = _person()
    try:
        changed = factors.add(who, totp.confirmed(who, request.form.get("code", "")))
    except AppError as error:
        return _authenticator(who, error.message), error.status
    return _went_on(changed, "added")


@blueprint.get("/passkey")
@public
@recently_proved
def passkey() -> str:
    """Show the form for a new passkey."""
    return _passkey(_person())


@blueprint.post("/passkey")
@public
@recently_proved
def register() -> Page:
    """Store the passkey that the browser has created."""
    who, form = _person(), request.form
    try:
        known = factors.owned(who.id).all
        changed = factors.add(who, passkeys.registered(who, known, form.get("name", ""), form.get("passkey", "")))
    except AppError as error:
        return _passkey(who, error.message), error.status
    return _went_on(changed, "added")


@blueprint.post("/<factor_id>/rename")
@public
@recently_proved
def rename(factor_id: str) -> Page:
    """Rename a passkey."""
    who = _person()
    try:
        factors.rename(who, factor_id, request.form.get("name", ""))
    except AppError as error:
        return _overview(who, error.message), error.status
    return redirect(url_for("account_factors.show", done="renamed"), 303)


@blueprint.post("/<factor_id>/remove")
@public
@recently_proved
def remove(factor_id: str) -> Page:
    """Remove a passkey or the authenticator app."""
    who = _person()
    try:
        return _went_on(factors.remove(who, factor_id), "removed")
    except AppError as error:
        return _overview(who, error.message), error.status


@blueprint.get("/codes")
@public
def new_codes() -> Page:
    """Show new recovery codes once."""
    _person()
    handed = once.handed_over()
    return render_template("accounts/codes.html", **handed) if handed else redirect(url_for("account_factors.show"))


@blueprint.post("/codes")
@public
@recently_proved
def codes() -> Page:
    """Create new recovery codes, and show them once on a page of their own."""
    who = _person()
    try:
        return _went_on(factors.renew_codes(who), "codes")
    except AppError as error:
        return _overview(who, error.message), error.status


def _went_on(changed: Changed, done: str) -> Response:
    """Redirect with a new session, to the recovery codes if there are new ones."""
    target = local_path(request.form.get("next"), "")
    if not changed.codes:
        overview = url_for("account_factors.show", done=done)
        return sessions.give(redirect(target if target and done == "added" else overview, 303), changed.cookie)
    shown = {"codes": changed.codes, "next": target or url_for("account_factors.show"), "first": done == "added"}
    return sessions.give(once.hand_over(url_for("account_factors.new_codes"), **shown), changed.cookie)


def _overview(who: Identity, error: str = "") -> str:
    shown = {"owned": factors.owned(who.id), "passkeys_offered": passkeys.offered(), "error": error}
    shown |= {"done": DONE.get(request.args.get("done", "")), "next": _next(), "must": bool(who.gate)}
    return render_template("accounts/factors.html", **shown)


def _authenticator(who: Identity, error: str = "") -> str:
    import segno

    offer = totp.offer(who, _site())
    picture = segno.make(offer.url, micro=False).svg_inline(**QR)
    spaced = " ".join(offer.secret[at : at + 4] for at in range(0, len(offer.secret), 4))
    shown = {"picture": picture, "secret": spaced, "url": offer.url}
    replaces = factors.owned(who.id).app is not None
    return render_template("accounts/authenticator.html", error=error, next=_next(), replaces=replaces, **shown)


def _passkey(who: Identity, error: str = "") -> str:
    options = passkeys.options_to_register(who, factors.owned(who.id).all, _site())
    return render_template("accounts/passkey.html", error=error, next=_next(), options=options)


def _person() -> Identity:
    """Return the signed-in person; raise for a session that has not passed its second factor."""
    who = identity.current()
    if who.kind != sessions.KIND:
        raise Unauthorized("Please sign in to see your account.")
    if who.gate not in ("", gates.SET_UP):
        raise guard.refusal(who, READ)
    return who


def _next() -> str:
    return local_path(request.values.get("next"), "")


def _site() -> str:
    return app_name()

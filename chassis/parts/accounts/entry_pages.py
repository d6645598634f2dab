"""The pages for visitors who are not signed in: sign-in, invitation, new password and registration."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from chassis.base.environment import BASE_DIR
from chassis.errors import AppError, TooManyRequests
from chassis.parts.accounts import joining, links, lockout, passkey_entry, passwords, people, sessions
from chassis.parts.accounts.local_path import local_path
from chassis.parts.accounts.settings import AccountSettings, OidcSettings
from chassis.security import identity, maintenance
from chassis.security.guard import public
from chassis.wiring import current_settings

blueprint = Blueprint("accounts", __name__)
Page = str | Response | tuple[str, int, dict[str, str]]


@blueprint.get("/sign-in")
@public
def sign_in() -> Page:
    """Show the form, or redirect a person who is already signed in."""
    target = local_path(request.args.get("next"))
    return redirect(target) if identity.current().session else page("sign_in", next=target)


@blueprint.post("/sign-in")
@public
@maintenance.allow
def enter() -> Page:
    """Sign in, and redirect to the page that the visitor wanted."""
    target, email = local_path(request.form.get("next")), request.form.get("email", "")
    signed_in = lambda: people.sign_in(email, request.form.get("password", ""))  # noqa: E731
    return _entered("sign_in", signed_in, target, next=target, email=email)


@blueprint.post("/sign-in/passkey")
@public
@maintenance.allow
def enter_by_passkey() -> Page:
    """Sign in with a passkey alone."""
    target, answer = local_path(request.form.get("next")), request.form.get("passkey", "")
    return _entered("sign_in", lambda: passkey_entry.sign_in(answer), target, next=target)


@blueprint.get("/invitation/<secret>")
@public
def invitation(secret: str) -> Page:
    """Show the account that the link creates; this does not use the link up, as mail programs' previews would."""
    return page("invitation", link=links.read(secret, links.INVITATION))


@blueprint.post("/invitation/<secret>")
@public
def accept(secret: str) -> Page:
    """Create the account."""
    link, name = links.read(secret, links.INVITATION), request.form.get("name", "")
    return _entered("invitation", lambda: joining.accept_invitation(secret, name, _password()), link=link, name=name)


@blueprint.get("/reset/<secret>")
@public
def reset(secret: str) -> Page:
    """Show the account whose password the link sets."""
    return page("reset", link=links.read(secret, links.RESET))


@blueprint.post("/reset/<secret>")
@public
def set_password(secret: str) -> Page:
    """Set the password."""
    link = links.read(secret, links.RESET)
    return _entered("reset", lambda: links.set_password(secret, _password()), link=link)


@blueprint.get("/register")
@public
def registration() -> Page:
    """Show the form if registration is allowed."""
    _check_allowed()
    return page("register")


@blueprint.post("/register")
@public
def register() -> Page:
    """Create an account."""
    _check_allowed()
    email, name = request.form.get("email", ""), request.form.get("name", "")

    def make() -> str:
        lockout.count(lockout.address(request.remote_addr or "", "registration"))
        return joining.register(email, name, _password())

    return _entered("register", make, email=email, name=name)


@blueprint.get("/sign-in-link/<secret>")
@public
def sign_in_link(secret: str) -> Page:
    """Show the account that the link signs in to; this does not use the link up."""
    return page("sign_in_link", link=links.read(secret, links.SIGN_IN))


@blueprint.post("/sign-in-link/<secret>")
@public
@maintenance.allow
def enter_by_link(secret: str) -> Page:
    """Sign in with a link that the operator created."""
    link = links.read(secret, links.SIGN_IN)
    return _entered("sign_in_link", lambda: links.sign_in(secret), link=link)


def _entered(template: str, work: Callable[[], str], target: str = "/", **shown: Any) -> Page:
    """Redirect with the session that `work` opens, or show the form again with the error."""
    try:
        cookie = work()
    except AppError as error:
        headers = {"Retry-After": f"{error.retry_after_seconds:.0f}"} if isinstance(error, TooManyRequests) else {}
        return page(template, error=error.message, **shown), error.status, headers
    return sessions.give(redirect(target, 303), cookie)


def page(template: str, **shown: Any) -> str:
    """Return a page for a visitor who is not signed in yet."""
    settings = current_settings()
    doors = settings.section(OidcSettings)
    shown |= {"passwords": doors.password_sign_in, "provider": doors.oidc_name if doors.oidc_issuer else ""}
    shown |= {"passkey": passkey_entry.options()} if template == "sign_in" and doors.password_sign_in else {}
    allowed = settings.section(AccountSettings).allow_registration and doors.password_sign_in
    hint = _flask() if not settings.production and doors.password_sign_in else ""
    return render_template(f"accounts/{template}.html", allow_registration=allowed, hint=hint, **shown)


def _flask() -> str:
    """Return how to call flask here: by its path if its environment is in the service's folder."""
    own = Path(sys.executable).with_name("flask")
    return str(own.relative_to(BASE_DIR)) if own.is_relative_to(BASE_DIR) else "flask"


def _password() -> str:
    return people.repeated(request.form.get("password", ""), request.form.get("again", ""))


def _check_allowed() -> None:
    passwords.check_in_use()
    if not current_settings().section(AccountSettings).allow_registration:
        abort(404)

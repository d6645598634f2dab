"""The admin pages of accounts; chassis.security.guard restricts them to admins."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response

from chassis import jobs, mail
from chassis.errors import NotFound
from chassis.parts.accounts import administration, emails, factors, links, mailing, store
from chassis.parts.accounts.settings import OidcSettings
from chassis.security import hosts, leaving, proof
from chassis.security.guard import needs
from chassis.security.identity import ADMIN
from chassis.security.proof import recently_proved
from chassis.web import once
from chassis.web.again import shown_again
from chassis.wiring import current_settings

blueprint = Blueprint("admin_accounts", __name__, url_prefix="/admin/accounts")
PER_PAGE = 100
ACTIONS: dict[str, Callable[[Row[Any]], None]] = {
    "enable": administration.enable,
    "sign-out": administration.sign_out,
    "unlock": administration.unlock,
    "reset-factor": administration.reset_factor,
}
PROVED = {"enable", "reset-factor"}  # an enabled account may be an admin's


@blueprint.get("")
@needs(ADMIN)
def listing() -> str:
    """Show all accounts, and the form for an invitation."""
    return _listing()


def _listing() -> str:
    page = min(max(request.args.get("page", 1, type=int), 1), 1_000_000)
    users, total = administration.listing(page=page, per_page=PER_PAGE)
    more = page * PER_PAGE < total
    return render_template(
        "accounts/admin.html",
        users=users,
        total=total,
        page=page,
        more=more,
        roles=store.ROLES[::-1],
        mail=mailing.possible(),
    )


@blueprint.post("/invite")
@needs(ADMIN)
@shown_again(_listing, field="email")
def invite() -> Response:
    """Create an invitation link, and send it or show it once."""
    email, role = emails.normal(request.form.get("email", "")), request.form.get("role", store.USER)
    if role == store.ADMIN:
        proof.check()
    secret = links.invite(email, role)
    return _handed_over(secret, links.INVITATION, email)


@blueprint.get("/link")
@needs(ADMIN)
def link() -> str | Response:
    """Show a new link once."""
    handed = once.handed_over()
    return render_template("accounts/link.html", **handed) if handed else redirect(url_for("admin_accounts.listing"))


@blueprint.get("/<user_id>")
@needs(ADMIN)
def show(user_id: str) -> str:
    """Show one account with its sessions and the actions on it."""
    return _account(user_id)


def _account(user_id: str) -> str:
    user = administration.get(user_id)
    shown: dict[str, Any] = {"sessions": administration.sessions_of(user), "factors": factors.owned(user.id)}
    shown |= {"passwords": current_settings().section(OidcSettings).password_sign_in}
    shown |= {"ended": administration.ended_with(user), "roles": store.ROLES[::-1]}
    shown["mail"] = mailing.possible()
    ends = [] if user.disabled_at else leaving.preview(administration.departure(user))
    return render_template("accounts/admin_account.html", user=user, ends=ends, **shown)


@blueprint.post("/<user_id>/reset-link")
@needs(ADMIN)
@recently_proved
def reset_link(user_id: str) -> Response:
    """Create a link for a new password, and send it or show it once."""
    user = administration.get(user_id)
    return _handed_over(links.reset(user), links.RESET, user.email)


@blueprint.get("/mail/<job_id>")
@needs(ADMIN)
def sent(job_id: str) -> str:
    """Show what became of a link that was sent by e-mail."""
    job = jobs.get(job_id)
    if job.kind != mail.KIND:
        raise NotFound("There is no such message.")
    return render_template("accounts/sent.html", job=job, email=job.payload["to"], ended=job.state in jobs.ENDED)


@blueprint.post("/<user_id>/role")
@needs(ADMIN)
@recently_proved
@shown_again(_account, field="role")
def role(user_id: str) -> Response:
    """Change the account's role."""
    administration.set_role(administration.get(user_id), request.form.get("role", ""))
    return _back(user_id)


@blueprint.post("/<user_id>/disable")
@needs(ADMIN)
@shown_again(_account, field="heir")
def disable(user_id: str) -> Response:
    """Disable the account and everything it holds; its page shows what ended."""
    keep_keys = "keep_keys" in request.form
    administration.disable(administration.get(user_id), request.form.get("heir", ""), keep_keys=keep_keys)
    return _back(user_id)


@blueprint.post("/<user_id>/<action>")
@needs(ADMIN)
def act(user_id: str, action: str) -> Response:
    """Enable, sign out or unlock the account."""
    if action not in ACTIONS:
        raise NotFound("There is no such action.")
    if action in PROVED:
        proof.check()
    ACTIONS[action](administration.get(user_id))
    return _back(user_id)


def _back(user_id: str) -> Response:
    return redirect(url_for("admin_accounts.show", user_id=user_id), 303)


def _handed_over(secret: str, purpose: str, email: str) -> Response:
    if not mailing.possible() or "show" in request.form:
        url = hosts.link_base() + links.path(purpose, secret)
        return once.hand_over(url_for("admin_accounts.link"), url=url, purpose=purpose, email=email)
    job = mailing.send(email, purpose, secret)
    return redirect(url_for("admin_accounts.sent", job_id=job.id), 303)

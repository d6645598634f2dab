"""The pages for the redirects to the provider and back."""

from typing import Any

import structlog
from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from chassis.errors import AppError, BadRequest, Unauthorized
from chassis.hooks import Hooks
from chassis.parts.accounts import entry_pages, sessions
from chassis.parts.accounts.local_path import local_path
from chassis.parts.accounts.oidc import entering, exchange, flow, person, tokens
from chassis.parts.accounts.oidc.provider import Known
from chassis.parts.accounts.settings import AccountSettings, OidcSettings
from chassis.security import audit
from chassis.security import proof as proofs
from chassis.security.guard import public
from chassis.wiring import current_settings, kept

blueprint = Blueprint("oidc", __name__)
log = structlog.get_logger(__name__)
MAX_CODE = 4_000
Page = Response | tuple[Any, ...]


def install(hooks: Hooks, own: OidcSettings) -> None:
    """Register the routes; the provider is contacted when somebody signs in."""
    hooks.keep(Known(own.oidc_issuer))
    hooks.pages(blueprint)


@blueprint.get("/sign-in/oidc")
@public
def start() -> Page:
    """Redirect a visitor to the provider."""
    return _sent(local_path(request.args.get("next")), proof="proof" in request.args)


@blueprint.get("/invitation/<secret>/oidc")
@public
def start_invited(secret: str) -> Page:
    """Redirect a person with an invitation to the provider."""
    return _sent("/", secret)


@blueprint.get(flow.CALLBACK)
@public
def callback() -> Page:
    """Sign in the person whom the provider sends back, or show the reason against it on the sign-in page."""
    target = "/"
    try:
        begun = flow.come_back(request.args.get("state", ""))
        target = begun["target"]
        cookie = _entered(begun)
    except AppError as error:
        _tell(error)
        return flow.forget(_refused(error, target))
    return flow.forget(sessions.give(redirect(target, 303), cookie))


def _sent(target: str, invitation: str = "", *, proof: bool = False) -> Response:
    begun = flow.begin(target, invitation, proof=proof)
    try:
        url = flow.url(begun, kept(Known).current(), _own())
    except AppError as error:
        return _refused(error, target)
    answer = redirect(url, 302)
    answer.headers["Cache-Control"] = "no-store"
    return flow.keep(answer, begun)


def _entered(begun: flow.Flow) -> str:
    if (said := request.args.get("error")) is not None:
        raise _denied(said)
    own, code = _own(), request.args.get("code", "")
    if request.args.get("iss", own.oidc_issuer) != own.oidc_issuer:  # RFC 9207: the response is another provider's
        raise Unauthorized("The answer came from a different sign-in service. Start again.", code="oidc_issuer_wrong")
    if not 0 < len(code) <= MAX_CODE or not code.isprintable():
        raise BadRequest("The sign-in service sent no code. Start again.", code="oidc_code_missing")
    claims = exchange.claims(kept(Known), own, begun, code)
    proved_at = tokens.signed_in_at(claims, kept(Known).current())
    if begun.get("proof") and not proofs.is_recent(proved_at):
        raise tokens.NotAsked
    how = entering.How(begun["invitation"], current_settings().section(AccountSettings).allow_registration, proved_at)
    return entering.enter(person.of(claims, own), how)


def _denied(said: str) -> AppError:
    log.info("oidc_refused", error=said[:100])
    sentence = "You did not allow the sign-in." if said == "access_denied" else "The sign-in service refused."
    return Unauthorized(f"{sentence} Start again, or ask the people who run this service.", code="oidc_denied")


def _tell(error: AppError) -> None:
    reason = getattr(error, "reason", error.code)
    audit.tell(audit.entry("account.sign_in", "(by the provider)", result="refused"))
    log.info("oidc_sign_in_refused", code=error.code, reason=reason)


def _refused(error: AppError, target: str) -> Response:
    page = entry_pages.page("sign_in", error=error.message, next=target)
    answer = current_app.make_response((page, error.status))
    if seconds := getattr(error, "retry_after_seconds", 0):
        answer.headers["Retry-After"] = f"{seconds:.0f}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _own() -> OidcSettings:
    own: OidcSettings = current_settings().section(OidcSettings)
    return own

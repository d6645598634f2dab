"""The redirects to the provider and back: state, nonce and code verifier belong to one browser, for a single use.

They are stored in a signed cookie, so that requests cannot fill a table; the table holds the returned states.
"""

import hmac
import secrets
from typing import Any

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from chassis.db import clock, db
from chassis.errors import Unauthorized
from chassis.parts.accounts import lockout, sessions
from chassis.parts.accounts.oidc import store
from chassis.parts.accounts.oidc.provider import Provider
from chassis.parts.accounts.settings import OidcSettings
from chassis.security import signing
from chassis.security.keys import digest
from chassis.wiring import current_settings

CALLBACK = "/sign-in/oidc/callback"
COOKIE, SECONDS = "oidc", 600
Flow = dict[str, str]


def begin(target: str, invitation: str = "", *, proof: bool = False) -> Flow:
    """Return a new flow: this browser's secrets, the target of the sign-in, and whether it is to prove an identity."""
    state, nonce, verifier = (secrets.token_urlsafe(bytes_) for bytes_ in (32, 32, 48))
    why = {"target": target, "invitation": invitation, "proof": "1" if proof else ""}
    return {"state": state, "nonce": nonce, "verifier": verifier, **why}


def url(flow: Flow, provider: Provider, own: OidcSettings) -> str:
    """Return the provider's URL for signing in; RFC 7636 defines the challenge."""
    asked: str = prepare_grant_uri(
        provider.authorization_endpoint,
        own.oidc_client_id,
        "code",
        redirect_uri=redirect_uri(),
        scope=list(own.oidc_scopes),
        state=flow["state"],
        nonce=flow["nonce"],
        code_challenge=create_s256_code_challenge(flow["verifier"]),
        code_challenge_method="S256",
        # Section 3.1.2.1 of OpenID Connect Core. Google refuses this value, and has no `auth_time` either.
        prompt="login" if flow["proof"] and provider.tells_when else None,
    )
    return asked


def redirect_uri() -> str:
    """Return the URL to which the provider redirects: never a host name from the request."""
    return current_settings().public_url.rstrip("/") + CALLBACK


def keep(response: Response, flow: Flow) -> Response:
    """Store the flow in a cookie until the browser returns."""
    response.set_cookie(sessions.named(COOKIE), _signer().dumps(flow), SECONDS, **sessions.cookie_options())
    return response


def forget(response: Response) -> Response:
    """Delete the flow's cookie."""
    response.delete_cookie(sessions.named(COOKIE), **sessions.cookie_options())
    return response


def come_back(state: str) -> Flow:
    """Return a state's flow and use the state up; raise Unauthorized when this browser did not start it."""
    try:
        flow: Flow = _signer().loads(request.cookies.get(sessions.named(COOKIE), ""), max_age=SECONDS)
    except BadData:
        raise _lost() from None
    if not hmac.compare_digest(flow["state"].encode(), state.encode("utf-8", "surrogatepass")):
        raise _lost()
    address, now = lockout.address(request.remote_addr or "", "provider"), clock.now()
    lockout.count(address)

    def write(conn: Connection) -> bool:
        return store.use_state(conn, digest(state), now, 2 * SECONDS)

    if not db.write(write):
        raise _lost()
    return flow


def arrived() -> Any:
    """Return a function that takes back the attempt counted by `come_back`."""
    address = lockout.address(request.remote_addr or "", "provider")
    return lambda conn: lockout.take_back(conn, address)


def _lost() -> Unauthorized:
    sentence = "This sign-in has expired, is finished, or was started in another window. Start again."
    return Unauthorized(sentence, code="oidc_state_invalid")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing.secret_keys()[::-1], salt="oidc-flow")

"""Exchanges a code for a person's claims: two or three calls to the provider, and the check of its token."""

from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from chassis.base.texts import excerpt
from chassis.errors import Unauthorized
from chassis.parts.accounts.oidc import flow, person, tokens, wire
from chassis.parts.accounts.oidc.provider import Known, Provider
from chassis.parts.accounts.settings import OidcSettings

FORM = "application/x-www-form-urlencoded"


def claims(known: Known, own: OidcSettings, begun: flow.Flow, code: str) -> dict[str, Any]:
    """Return the verified claims; raise Unauthorized when they are invalid, ProviderUnavailable without an answer."""
    provider = known.current()
    answer = _token(provider, own, begun, code)
    token, access_token = answer.get("id_token"), answer.get("access_token")
    if not isinstance(token, str) or not isinstance(access_token, str):
        raise tokens.BadToken("no id_token or no access_token")
    found = tokens.verified(known, token, client_id=own.oidc_client_id, nonce=begun["nonce"], access_token=access_token)
    return _completed(provider, own, found, access_token)


def _token(provider: Provider, own: OidcSettings, begun: flow.Flow, code: str) -> dict[str, Any]:
    body = prepare_token_request(
        "authorization_code", "", flow.redirect_uri(), code=code, code_verifier=begun["verifier"]
    )
    method = "client_secret_post" if provider.secret_in_body else "client_secret_basic"
    auth = ClientAuth(own.oidc_client_id, own.oidc_client_secret.get_secret_value(), method)
    url, headers, body = auth.prepare("POST", provider.token_endpoint, {"Content-Type": FORM}, body)
    status, answer = wire.ask("POST", url, headers, body)
    if status >= 500 or status == 429:
        raise wire.unavailable(provider.token_endpoint, f"status {status}")
    if status != 200:
        raise Refused(f"status {status}: {excerpt(str(answer.get('error', '')), 100)}")
    return answer


def _completed(provider: Provider, own: OidcSettings, found: dict[str, Any], access_token: str) -> dict[str, Any]:
    """Return the claims, with those of userinfo if the token omits some and both have the same subject."""
    if not provider.userinfo_endpoint or not person.lacks(found, own):
        return found
    status, more = wire.ask("GET", provider.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"})
    if status != 200 or more.get("sub") != found["sub"]:
        return found
    address = found if "email" in found else more  # the claim about its verification is next to it
    return {**more, **found, "email_verified": address.get("email_verified")}


class Refused(Unauthorized):
    """The provider refuses the code; `reason` is for the log."""

    code = "oidc_code_refused"

    def __init__(self, reason: str) -> None:
        super().__init__("The sign-in service did not confirm the sign-in. Start again.")
        self.reason = reason

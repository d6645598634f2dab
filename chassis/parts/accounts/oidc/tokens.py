"""Verifies the ID token: its signature and all of its claims."""

import time
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry

from chassis.errors import Unauthorized
from chassis.parts.accounts.oidc.provider import Known, Provider

# Signatures with a private key only: `none` proves nothing, and an HMAC could be computed with the public key.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
LEEWAY_SECONDS = 60
MAX_SUBJECT = 255  # OpenID Connect Core 1.0, section 2


class BadToken(Unauthorized):
    """An invalid ID token; `reason` is for the log."""

    code = "oidc_token_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__("The sign-in service's answer is not valid. Start again.")
        self.reason = reason


class NotAsked(Unauthorized):
    """The provider did not let the person sign in again; `reason` is for the log."""

    code, reason = "oidc_not_asked", "auth_time is missing or too old"

    def __init__(self) -> None:
        super().__init__("The sign-in service did not ask you to sign in again, so this does not confirm who you are.")


def verified(known: Known, token: str, *, client_id: str, nonce: str, access_token: str) -> dict[str, Any]:
    """Return the claims of an ID token; raise BadToken, or ProviderUnavailable when its key cannot be fetched."""
    provider = known.current()
    decoded = _decoded(provider, token) or _decoded(known.current(newer_than=provider.read_at), token)
    if decoded is None:
        raise BadToken("no key of the provider signed it")
    options: Any = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": client_id},
    }
    params = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    try:
        claims.validate(now=int(time.time()), leeway=LEEWAY_SECONDS)
    except ClaimError as error:
        raise BadToken(f"{error.error}: {error.claim}") from None
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise BadToken(type(error).__name__) from None
    subject = claims["sub"]
    if not (subject and len(subject) <= MAX_SUBJECT and subject.isascii() and subject.isprintable()):
        raise BadToken("its subject is not text of 1 to 255 ASCII characters")
    return dict(claims)


def signed_in_at(claims: dict[str, Any], provider: Provider) -> float:
    """Return when a person last signed in at the provider, in Unix seconds.

    A browser that is signed in there gets a token without being asked anything, and the one who sits at it can remove
    `prompt` from the URL. So the token counts: 0 without a time, unless the provider never tells it.
    """
    now, told = time.time(), claims.get("auth_time")
    if isinstance(told, int | float) and 0 <= told <= now + LEEWAY_SECONDS:
        return min(float(told), now)
    return 0.0 if provider.tells_when else now


def _decoded(provider: Provider, token: str) -> jwt.Token | None:
    """Return the token when one of the provider's keys signed it, otherwise None; raise BadToken for other faults."""
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        return jwt.decode(token, provider.keys, registry=registry)
    except (BadSignatureError, InvalidKeyIdError):
        return None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise BadToken(type(error).__name__) from None

"""Passkeys: a device signs a challenge for this site only (WebAuthn, https://www.w3.org/TR/webauthn-3/).

`webauthn` is in the extra `passkeys`; without it, passkeys are not offered.
"""

import contextlib
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from flask import request
from sqlalchemy import Row

from chassis.db import clock
from chassis.errors import BadRequest, Conflict, NotFound
from chassis.parts.accounts import challenges, factor_store
from chassis.parts.accounts.challenges import Use
from chassis.security import origins
from chassis.security.identity import Identity
from chassis.security.networks import parsed
from chassis.settings import installed
from chassis.wiring import current_settings

log = structlog.get_logger(__name__)
REGISTER, SHOW = "register", "show"
SECONDS = 300  # from the challenge to the answer
MAX_PASSKEYS = 20


class Party(NamedTuple):
    """The relying party of a passkey: its domain, and the origin of its pages."""

    id: str
    origin: str


def load() -> None:
    """Import the library if it is installed: importing it with the first passkey would block the hub for 0.14 s."""
    if installed("webauthn"):
        with contextlib.suppress(ImportError):
            import webauthn  # noqa: F401


def offered() -> bool:
    """Return whether passkeys are available: the library is installed, and the site's name is certain."""
    return installed("webauthn") and party() is not None


def party() -> Party | None:
    """Return this site by PUBLIC_URL, on the developer's machine by `localhost` and its port, otherwise None.

    No other host in a request is trusted: a forged name would let one site ask for another's passkeys.
    """
    settings = current_settings()
    if settings.public_url:
        return _party(settings.public_url)
    return None if settings.production else _party(origins.own(request.environ), only_local=True)


def options_to_register(who: Identity, known: list[Row[Any]], site: str) -> str:
    """Return the browser's options as JSON for creating a passkey."""
    import webauthn
    from webauthn.helpers import structs

    selection = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.PREFERRED,
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    options = webauthn.generate_registration_options(
        rp_id=here().id,
        rp_name=site,
        user_id=who.id.encode(),
        user_name=who.name,
        exclude_credentials=_descriptors(known),
        authenticator_selection=selection,
        timeout=SECONDS * 1_000,
    )
    return _asked(who, REGISTER, options)


def options_to_show(who: Identity, known: list[Row[Any]]) -> str:
    """Return the browser's options as JSON for using one of an account's passkeys."""
    import webauthn

    descriptors = _descriptors(known)
    options = webauthn.generate_authentication_options(
        rp_id=here().id, allow_credentials=descriptors, timeout=SECONDS * 1_000
    )
    return _asked(who, SHOW, options)


def registered(who: Identity, known: list[Row[Any]], name: str, answer: str) -> dict[str, Any]:
    """Return the factor to store from a browser's answer; raise BadRequest when the answer is invalid."""
    import webauthn

    name = checked_name(name)
    if sum(factor.kind == factor_store.PASSKEY for factor in known) >= MAX_PASSKEYS:
        raise Conflict(f"An account has at most {MAX_PASSKEYS} passkeys: remove one first.", code="too_many_passkeys")
    expected = _expected(who, REGISTER)
    try:
        made = webauthn.verify_registration_response(credential=answer, **expected)
    except Exception as error:  # the library parses many makers' formats, and raises whatever the parsers raise
        raise _refused(error) from None
    encode = webauthn.helpers.bytes_to_base64url
    keys = {"credential": encode(made.credential_id), "secret": encode(made.credential_public_key)}
    return {"kind": factor_store.PASSKEY, "name": name, "counter": made.sign_count, **keys}


def check(who: Identity, known: list[Row[Any]], answer: str) -> Use | None:
    """Return a function that records the passkey's use, or None when no passkey of the account gave the answer."""
    import webauthn

    expected = _expected(who, SHOW)
    try:
        shown = webauthn.helpers.parse_authentication_credential_json(answer)
        row = next(factor for factor in known if factor.credential == shown.id)
        verified = webauthn.verify_authentication_response(
            credential=shown,
            credential_public_key=webauthn.base64url_to_bytes(row.secret),
            credential_current_sign_count=row.counter,
            **expected,
        )
    except Exception as error:
        log.info("passkey_refused", reason=str(error)[:300])
        return None
    now = clock.now()
    return lambda conn: factor_store.use(conn, row, verified.new_sign_count, now)


def checked_name(name: str) -> str:
    """Return the name of a passkey; raise BadRequest when it is too long."""
    name = " ".join(name[:1_000].split()) or "Passkey"
    if len(name) > 60 or not name.isprintable():
        raise BadRequest("A name has at most 60 characters.", code="invalid_name")
    return name


def _party(url: str, *, only_local: bool = False) -> Party | None:
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".")
    local = name == "localhost" or name.endswith(".localhost")
    if not name or parsed(name) or not (local or (parts.scheme == "https" and not only_local)):
        return None  # browsers have no passkeys for IP addresses, nor without TLS
    return Party(name, origins.own({"wsgi.url_scheme": parts.scheme, "HTTP_HOST": parts.netloc.lower()}))


def here() -> Party:
    """Return this site; raise NotFound if passkeys are not offered."""
    site = party()
    if site is None or not installed("webauthn"):
        raise NotFound("This service does not accept passkeys at this address.")
    return site


def _descriptors(known: list[Row[Any]]) -> list[Any]:
    from webauthn import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    mine = (factor.credential for factor in known if factor.kind == factor_store.PASSKEY)
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(credential)) for credential in mine]


def _asked(who: Identity, purpose: str, options: Any) -> str:
    from webauthn import options_to_json
    from webauthn.helpers import bytes_to_base64url

    challenges.put(who, purpose, bytes_to_base64url(options.challenge), SECONDS)
    return options_to_json(options)


def _expected(who: Identity, purpose: str) -> dict[str, Any]:
    """Return the expected values for checking an answer; each challenge can be answered once, rightly or wrongly."""
    site, challenge = here(), challenges.get(who, purpose)
    if challenge is None or not challenges.end(who, purpose):
        raise BadRequest("That took too long, or was sent twice: try again.", code="challenge_expired")
    from webauthn import base64url_to_bytes

    asked = {"expected_challenge": base64url_to_bytes(challenge)}
    return {**asked, "expected_rp_id": site.id, "expected_origin": site.origin}


def _refused(error: Exception) -> BadRequest:
    log.info("passkey_refused", reason=str(error)[:300])
    return BadRequest("The passkey could not be checked: try again.", code="passkey_refused")

"""Sign-in with a passkey alone: the device asks for a fingerprint or a PIN, so it counts as two factors.

Nothing is stored for a visitor's page: the challenge is a text signed by this service, valid for a short time, and
recorded when it is used.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from typing import Any

import structlog
from flask import request
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from chassis.db import clock, db
from chassis.errors import Unauthorized
from chassis.parts.accounts import factor_store, lockout, passkeys, passwords, sessions, store
from chassis.security import audit, signing

log = structlog.get_logger(__name__)
USED = "used"
Known = tuple[Row[Any], Row[Any]]


def options() -> str:
    """Return the browser's options as JSON for using any passkey of this site; empty if passkeys are not offered."""
    here = passkeys.party() if passkeys.offered() else None
    if here is None:
        return ""
    challenge = _encoded(_signer().dumps(secrets.token_urlsafe(16)))
    told = {"challenge": challenge, "rpId": here.id, "userVerification": "required", "allowCredentials": []}
    return json.dumps({**told, "timeout": passkeys.SECONDS * 1_000})


def sign_in(answer: str) -> str:
    """Return the cookie of a new session of the person whose passkey has answered; raise Unauthorized otherwise."""
    passwords.check_in_use()  # if people sign in only through the provider, passkeys must not bypass it
    address = lockout.address(request.remote_addr or "")
    lockout.count(address)
    try:
        (factor, user), counter, used = _checked(answer)
    except Exception as error:  # the library raises whatever its parsers raise
        log.info("passkey_refused", reason=str(error)[:300])
        raise _refused("(a passkey)") from None
    now = clock.now()
    session = sessions.new(user.id, factor_at=now)
    line = audit.entry("account.sign_in", f"{user.email} (passkey)", actor=user.email)

    def write(conn: Connection) -> bool:
        factor_store.note_used(conn, {"session_id": used, "purpose": USED, "value": ""}, now, passkeys.SECONDS)
        if not factor_store.use(conn, factor, counter, now):
            return False
        if not store.change_good_user(conn, user, last_sign_in_at=now):
            return False
        sessions.begin(conn, session)
        lockout.unlock(conn, user.email)
        lockout.take_back(conn, address)
        audit.write(conn, line)
        return True

    try:
        if not db.write(write):
            raise _refused(user.email)
    except IntegrityError:
        raise _refused(user.email) from None
    audit.tell(line)
    return session.cookie


def _checked(answer: str) -> tuple[Known, int, str]:
    """Return the passkey with its account, its new counter, and an id of the signed challenge."""
    import webauthn

    here = passkeys.here()
    shown = webauthn.helpers.parse_authentication_credential_json(answer)
    challenge = webauthn.helpers.parse_client_data_json(shown.response.client_data_json).challenge
    _signer().loads(challenge, max_age=passkeys.SECONDS)
    factor, user = _known(shown.id)
    verified = webauthn.verify_authentication_response(
        credential=shown,
        expected_challenge=challenge,
        expected_rp_id=here.id,
        expected_origin=here.origin,
        credential_public_key=webauthn.base64url_to_bytes(factor.secret),
        credential_current_sign_count=factor.counter,
        require_user_verification=True,
    )
    return (factor, user), verified.new_sign_count, hashlib.sha256(challenge).hexdigest()[:16]


def _known(credential: str) -> Known:
    def read(conn: Connection) -> Known | None:
        factor = factor_store.by_credential(conn, credential)
        user = store.user(conn, factor.user_id) if factor else None
        return (factor, user) if factor and user else None

    found = db.read(read)
    if found is None or found[1].disabled_at is not None:
        raise LookupError("no account has this passkey, or it is disabled")
    return found


def _refused(target: str) -> Unauthorized:
    audit.record("account.sign_in", target, result="refused", actor=target)
    return Unauthorized(
        "This passkey does not belong to an account here: sign in with your password.", code="sign_in_refused"
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(signing.secret_keys()[::-1], salt="passkey")


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")

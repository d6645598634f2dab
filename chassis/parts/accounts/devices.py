"""Known devices: a signed cookie proves that somebody has signed in to an account with this browser before.

Wrong passwords from such a browser are counted for it separately, so that other people's guesses do not lock its
owner out.
"""

import secrets
from hashlib import sha256
from typing import Any

from flask import request
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.wrappers import Response

from chassis.security import signing

KNOWN_SECONDS = 15_552_000  # 180 days from the last sign-in
NAME = "device"


def remember(response: Response, email: str, **options: Any) -> None:
    """Set the cookie that marks this browser as a device of an e-mail's account; the options are the cookie's."""
    signed = _signer(email).sign(secrets.token_urlsafe(12)).decode()
    response.set_cookie(_cookie(email), signed, KNOWN_SECONDS, **options)


def known(email: str) -> str:
    """Return the id of the requesting browser, or "" when nobody has signed in to the account with it."""
    signed = request.cookies.get(_cookie(email), "")
    try:
        return _signer(email).unsign(signed, max_age=KNOWN_SECONDS).decode()
    except (BadSignature, UnicodeError):
        return ""


def _cookie(email: str) -> str:
    """Return the name of an account's cookie: each account on a shared browser has its own."""
    return f"{NAME}-{digest(email)[:12]}"


def digest(email: str) -> str:
    """Return the hash of an e-mail; the text may be a password typed into the wrong field."""
    return sha256(email.encode("utf-8", "surrogatepass")).hexdigest()


def _signer(email: str) -> TimestampSigner:
    return TimestampSigner(signing.secret_keys()[::-1], salt=f"known device of {digest(email)}")

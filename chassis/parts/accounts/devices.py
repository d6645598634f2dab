"""Known devices: a signed cookie says that somebody signed in to an account with this browser before.

Wrong passwords from such a browser are counted for it alone, so that nobody else's guesses lock its owner out.
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
    """Let the browser keep that its owner has signed in to the account of an e-mail; the options are the cookie's."""
    signed = _signer(email).sign(secrets.token_urlsafe(12)).decode()
    response.set_cookie(_cookie(email), signed, KNOWN_SECONDS, **options)


def known(email: str) -> str:
    """Return the id of the browser that sends the request, or "" when nobody signed in to the account with it."""
    signed = request.cookies.get(_cookie(email), "")
    try:
        return _signer(email).unsign(signed, max_age=KNOWN_SECONDS).decode()
    except (BadSignature, UnicodeError):
        return ""


def _cookie(email: str) -> str:
    """Return the name of an account's cookie: people who share a browser have one each."""
    return f"{NAME}-{digest(email)[:12]}"


def digest(email: str) -> str:
    """Return the hash of an e-mail; what was typed there may be a password."""
    return sha256(email.encode("utf-8", "surrogatepass")).hexdigest()


def _signer(email: str) -> TimestampSigner:
    return TimestampSigner(signing.secret_keys()[::-1], salt=f"known device of {digest(email)}")

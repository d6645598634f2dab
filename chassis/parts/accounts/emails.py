"""E-mail addresses, which identify accounts."""

import re

from chassis.base.texts import normalized
from chassis.errors import BadRequest

MAX_CHARACTERS = 254  # RFC 5321, section 4.5.3.1.3
MAX_TYPED_CHARACTERS = 1_000  # composed letters and surrounding spaces may make the typed text longer
SHAPE = re.compile(r"[^@\s]+@[^@\s]+")


def normal(text: str) -> str:
    """Return an address in the form that is stored and compared: in lower case, without surrounding spaces.

    Of a text that is too long, the beginning is returned unchanged, which is not plausible either.
    """
    try:
        return normalized(text, MAX_TYPED_CHARACTERS).strip().lower()
    except ValueError:
        return text[:MAX_TYPED_CHARACTERS]


def plausible(email: str) -> bool:
    """Return whether a normal address is plausible; only the arrival of a message would prove it."""
    return len(email) <= MAX_CHARACTERS and email.isprintable() and SHAPE.fullmatch(email) is not None


def checked(text: str) -> str:
    """Return the normal address; raise BadRequest when it is not plausible."""
    email = normal(text)
    if not plausible(email):
        raise BadRequest("An email address looks like name@example.org.", code="invalid_email")
    return email

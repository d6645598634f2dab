"""E-mail addresses, which are the names of accounts."""

import re

from chassis.base.texts import normalized
from chassis.errors import BadRequest

MAX_CHARACTERS = 254  # RFC 5321, section 4.5.3.1.3
MAX_TYPED_CHARACTERS = 1_000  # composed letters and the spaces around may take more as they are typed
SHAPE = re.compile(r"[^@\s]+@[^@\s]+")


def normal(text: str) -> str:
    """Return an address as it is stored and compared: without spaces around it, in lower case.

    Of what is too long to be one, the beginning is returned as it is, which is no plausible address either.
    """
    try:
        return normalized(text, MAX_TYPED_CHARACTERS).strip().lower()
    except ValueError:
        return text[:MAX_TYPED_CHARACTERS]


def plausible(email: str) -> bool:
    """Return whether a normal address can be one; only a message that arrives would prove it."""
    return len(email) <= MAX_CHARACTERS and email.isprintable() and SHAPE.fullmatch(email) is not None


def checked(text: str) -> str:
    """Return the normal address; raise BadRequest when it cannot be one."""
    email = normal(text)
    if not plausible(email):
        raise BadRequest("An e-mail address looks like name@example.org.", code="invalid_email")
    return email

"""Texts from outside: characters that cannot be stored are replaced, and excerpts are short and plain."""

import html
import re
import unicodedata

REPLACEMENT = "\ufffd"
UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
HIDDEN = re.compile(r"<(script|style|head)\b[^<>]*>[^<]*", re.IGNORECASE)
TAG = re.compile(r"<[^<>]*>")
LOOKED_AT_CHARACTERS = 4_000  # characters that are read for a short excerpt


def storable(text: str) -> str:
    """Return the text with U+FFFD for what a database cannot store: lone surrogates and null characters."""
    text = text.replace("\x00", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def excerpt(text: str, most: int) -> str:
    """Return the beginning of a text on one line, without markup and control characters."""
    plain = text[:LOOKED_AT_CHARACTERS]
    if "<" in plain or "&" in plain:
        plain = TAG.sub(" ", html.unescape(TAG.sub(" ", HIDDEN.sub(" ", plain))))
    plain = storable(" ".join(UNPRINTED.sub(" ", plain).split()))
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def normalized(text: str, most: int) -> str:
    """Return the text in NFKC; raise ValueError if it has more than `most` characters.

    The length is checked first: the work grows with the square of the number of combining marks in a row. A thousand
    characters take 1.4 ms at worst.
    """
    if len(text) > most:
        raise ValueError(f"has more than {most:,} characters")
    return unicodedata.normalize("NFKC", text)

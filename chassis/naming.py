"""The name for programs that a service's name gives; used without any library by the tools in chassis/template."""

import re
import unicodedata

NO_LETTERS = re.compile(r"[^a-z0-9]+")
MOST_CHARACTERS = 100  # the work of normalizing grows with the square of their number


def slug_of(name: str) -> str:
    """Return a name in lower case with hyphens and without accents, such as `acme-lab`; empty without Latin letters."""
    plain = unicodedata.normalize("NFKD", name[:MOST_CHARACTERS]).encode("ascii", "ignore").decode()
    return NO_LETTERS.sub("-", plain.lower()).strip("-")

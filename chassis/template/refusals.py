"""Names that a service cannot have, each refused with a reason before anything is changed."""

import keyword
import re
from collections.abc import Iterator
from pathlib import Path

from chassis.naming import slug_of
from chassis.template import Refused, places
from chassis.template.identity import Identity

NAME_MAX = 40
SLUG_MAX = 32  # of a Linux user, see useradd(8)
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SEPARATORS = re.compile(r"[-_.]+")
UNSAFE = re.compile(r"""["\\`$<>]""")
KEYWORDS = {word.lower() for word in (*keyword.kwlist, *keyword.softkwlist)} - {"_"}
YAML = {"yes", "no", "on", "off", "y", "n", "null", "true", "false"}
USERS = {"root", "daemon", "bin", "sys", "mail", "proxy", "nobody", "www-data"}
PACKAGE = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", re.MULTILINE)


def identity(name: str, slug: str, root: Path, old: Identity) -> Identity:
    """Return the identity that a name and perhaps a slug give; raise Refused for those that cannot be used."""
    new = wanted(name, slug)
    if not new.name:
        raise Refused('Give a name: NAME="Acme Lab"')
    reasons = [*_of_name(new.name), *(_of_slug(new.slug, root, old.slug) if new.slug != old.slug else ())]
    if reasons:
        raise Refused(f"{reasons[0]}. Give another NAME, or the name for programs with SLUG=")
    return new


def wanted(name: str, slug: str) -> Identity:
    """Return the identity that is asked for, whether or not it can be used."""
    name = " ".join(name.split())
    return Identity(name, slug or slug_of(name))


def _of_name(name: str) -> Iterator[str]:
    if not name.isprintable() or UNSAFE.search(name):
        yield f'The name {name!r} has a character that files cannot hold, one of " \\ ` $ < > or a control character'
    if len(name) > NAME_MAX:
        yield f"The name has {len(name)} characters, more than {NAME_MAX}"


def _of_slug(slug: str, root: Path, old: str) -> Iterator[str]:
    if not SLUG.fullmatch(slug):
        yield f"{slug!r} is no name for programs: lower-case Latin letters, digits and single hyphens, first a letter"
    if len(slug) > SLUG_MAX:
        yield f"{slug!r} has more than {SLUG_MAX} characters, the most that a Linux user's name can have"
    if slug.replace("-", "_") in KEYWORDS:
        yield f"{slug!r} is a keyword of Python"
    if slug in YAML:
        yield f"{slug!r} is no text in YAML"
    if slug in USERS:
        yield f"{slug!r} is a user of every Linux system"
    if any(path.is_dir() and path.name.lower() == slug for path in root.iterdir()):
        yield f"{slug!r} is a folder here"
    if slug in packages(root):
        yield f"{slug!r} is a library in the lock"
    place = places.taken(root, slug, old)
    if place:
        yield f"{slug!r} is a word in {place} already, and could not be told from the name"


def packages(root: Path) -> set[str]:
    """Return the names of the locked libraries, normalized as an index does."""
    locks = (path.read_text() for path in sorted(root.glob("requirements*.txt")))
    return {SEPARATORS.sub("-", name).lower() for lock in locks for name in PACKAGE.findall(lock)}

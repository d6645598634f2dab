"""Nothing in the chassis names the service that uses it, its repository, or a feature of it."""

import re

import pytest

from chassis.base.service import current
from chassis.tests.named import EXAMPLE, SLUG
from chassis.tests.servers import ROOT

REPOSITORY = "flask-socketio-skeleton"
# A clone may be called by a word that these texts use; a name of several words, and the shipped one, are nobody else's.
OWN = {SLUG, current().name} if "-" in SLUG or REPOSITORY.endswith(SLUG) else set()
NAMES = sorted({name.lower() for name in (*OWN, REPOSITORY, EXAMPLE, EXAMPLE.removesuffix("s"), "species")})
EXCEPTIONS = {
    "chassis/CHANGELOG.md": "names that were changed",
    "chassis/UPGRADING.md": "names that were changed",
    "chassis/tests/db/schemas/": "databases of releases, with the example's tables",
    "chassis/tests/named.py": "the example's name, for tests that are skipped without it",
    "chassis/tests/test_names.py": "this file",
}
NOT_OURS = re.compile(r"/vendor/|/__pycache__/|^chassis/manifest\.txt$")


def texts():
    """Yield the name and the text, in lower case, of each file of the chassis."""
    for path in sorted((ROOT / "chassis").rglob("*")):
        name = str(path.relative_to(ROOT))
        if path.is_file() and not NOT_OURS.search(name):
            yield name, path.read_bytes().decode(errors="replace").lower()


TEXTS = dict(texts())


def places(word):
    """Return where a word is, in a file's name too."""
    found = re.compile(rf"(?<![a-z]){re.escape(word)}(?![a-z])")
    for name, text in TEXTS.items():
        for number, line in enumerate([name, *text.splitlines()]) if word in name or word in text else ():
            if found.search(line):
                yield f"{name}:{number}: {line.strip()[:100]}"


@pytest.mark.parametrize("word", NAMES)
def test_the_chassis_does_not_name(word):
    assert [place for place in places(word) if not place.startswith(tuple(EXCEPTIONS))] == []


@pytest.mark.parametrize("start", [start for start in EXCEPTIONS if (ROOT / start).exists()])
def test_an_exception_is_still_needed(start):
    assert any(place.startswith(start) for word in NAMES for place in places(word))

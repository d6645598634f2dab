"""A small example, for clones whose own examples were deleted: settings, a library, a made-up secret and a test."""

import json

NAME = "harbor"
FOLDER, COPY = f"examples/{NAME}", f"app/features/{NAME}"
LIBRARY, TESTED = "zinnia-lib==1.2.3", "zinnia-test==4.5"
FILES = {
    "__init__.py": '''\
"""The harbor: a page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chassis.hooks import Hooks


def register(hooks: "Hooks") -> None:
    """Register the page."""
    from app.features.harbor import pages

    hooks.pages(pages.blueprint)
''',
    "pages.py": '''\
"""The page, which says how many ships fit."""

from flask import Blueprint

from app.features.harbor.settings import HarborSettings
from chassis.wiring import current_settings

blueprint = Blueprint("harbor", __name__)


@blueprint.get("/harbor")
def index() -> str:
    """Say how many ships fit."""
    return f"{current_settings().section(HarborSettings).harbor_ships} ships"
''',
    "settings.py": '''\
"""The settings of the harbor."""

from pydantic import Field

from chassis.settings import Section


class HarborSettings(Section):
    """Harbor"""

    harbor_ships: int = Field(7, ge=1, description="How many ships fit.")
''',
    "README.md": "# Harbor\n\nShows how many ships\nfit. It has a page.\n",
    "tests/test_page.py": '''\
"""The page is shown."""


def test_the_page_is_shown(shared_with):
    assert shared_with().get("/harbor")[1] == "7 ships"
''',
}


def put_into(clone, library=False):
    """Write the example to a clone, and commit it."""
    for name, text in FILES.items():
        clone.write(f"{FOLDER}/{name}", text)
    if library:
        clone.write(f"{FOLDER}/requirements.in", f"# asks\n{LIBRARY} # the harbor\n")
        clone.write(f"{FOLDER}/requirements-dev.in", f"{LIBRARY}\n{TESTED}\n")
        known = json.loads(clone.read(".secrets.baseline"))
        known["results"][f"{FOLDER}/pages.py"] = [{"type": "Secret", "filename": f"{FOLDER}/pages.py"}]
        clone.write(".secrets.baseline", json.dumps(known, indent=2) + "\n")
    clone.commit("Add the harbor")

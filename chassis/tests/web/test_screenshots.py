"""Every page in every state: not blank, not wider than the window, without script errors, and accessible."""

import pytest

from chassis.tests.browser import chromium
from chassis.tests.conftest import same_in_every_mode
from chassis.tests.screenshots.checks import faults
from chassis.tests.screenshots.places import file_name
from chassis.tests.screenshots.seeded import seeded
from chassis.tests.screenshots.states import STATES, VIEWS
from chassis.tests.screenshots.walk import take

pytestmark = [pytest.mark.browser, same_in_every_mode]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_page_in_every_state_is_fit_to_be_seen(tmp_path, tool):
    browser = chromium(tool("chromium"))
    with seeded(tmp_path) as service:
        found = take(service, browser, tmp_path / "pictures")
    assert found == []
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert {f"not-a-page.{state.name}.{view}.png" for state in STATES for view in VIEWS if state.signed_in} <= pictures


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<main></main>", "the page is blank"),
        ("<main><p id=wide style='width: 3000px'>words</p></main>", "too wide: p.#wide"),
        ("<main><img src=x>words</main>", "image-alt"),
    ],
)
def test_faults_are_found(page, html, fault):
    page.set_content(f"<!doctype html><html lang=en><title>t</title>{html}")
    assert [found for found in faults(page, scripts=True) if found.startswith(fault)]


def test_a_rule_becomes_a_file_name():
    assert file_name("/things/<string(length=32):thing_id>/Edit") == "things-thing_id-edit"
    assert file_name("/") == "home"

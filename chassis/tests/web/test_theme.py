"""The theme of the pages, which is kept in the browser, and buttons that copy."""

import pytest

from chassis.tests.conftest import same_in_every_mode
from chassis.tests.patience import wait_until

pytestmark = [pytest.mark.browser, same_in_every_mode]
SCHEME = "getComputedStyle(document.documentElement).colorScheme"
PATH = "/not-a-page"
WHEN_THERE_IS_A_BODY = """new MutationObserver((_, watcher) => {
  if (!document.body) return;
  window.first = document.documentElement.dataset.theme;
  watcher.disconnect();
}).observe(document, { childList: true, subtree: true })"""


@pytest.fixture
def server(shared_with):
    """A server with default settings."""
    return shared_with()


def test_a_theme_is_chosen_and_kept(server, page):
    page.goto(server.url + PATH)
    assert page.evaluate(SCHEME) == "light dark"
    page.get_by_label("Theme").select_option(label="Dark")
    assert page.evaluate(SCHEME) == "dark"
    page.goto(server.url + PATH)
    assert (page.evaluate(SCHEME), page.get_by_label("Theme").input_value()) == ("dark", "dark")
    other = page.context.new_page()
    other.goto(server.url + PATH)
    other.get_by_label("Theme").select_option(label="System")
    wait_until(lambda: page.evaluate(SCHEME) == "light dark", "a second page does not follow")


def test_the_theme_is_there_before_the_page_is_drawn(server, page):
    page.add_init_script("localStorage.setItem('theme', 'dark')")
    page.add_init_script(WHEN_THERE_IS_A_BODY)
    page.goto(server.url + PATH)
    assert page.evaluate("first") == "dark"


def test_a_browser_that_keeps_nothing_still_has_themes(server, page):
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden') } })")
    page.goto(server.url + PATH)
    page.get_by_label("Theme").select_option(label="Light")
    assert (page.evaluate(SCHEME), page.errors) == ("light", [])


def test_without_scripts_there_is_no_switch(server, page):
    context = page.context.browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(server.url + PATH)
    assert not plain.get_by_label("Theme").is_visible()
    context.close()


BUTTON = """<p id=made>ak_one</p><input id=link value="https://x.example/1">
<button type=button data-copy={0}>Copy</button>"""


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(("source", "text"), [("made", "ak_one"), ("link", "https://x.example/1")])
def test_a_button_copies(server, page, allowed, source, text):
    if not allowed:  # as without HTTPS
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto(server.url + PATH)
    page.evaluate("html => { document.querySelector('main').innerHTML = html }", BUTTON.format(source))
    page.evaluate("window.copied = []; document.addEventListener('copy', () => copied.push(getSelection().toString()))")
    if allowed:
        page.evaluate("() => { navigator.clipboard.writeText = async (text) => copied.push(text) }")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("copied") == [text]

"""A real browser for the tests of pages."""

import atexit
import functools

import pytest

from chassis.tests.patience import LIMIT_SECONDS

QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HIDDEN_PAGES_TOO = ["--disable-renderer-backgrounding", "--disable-background-timer-throttling"]


@functools.cache
def chromium(path: str):
    """Return a real Chromium, which all tests of this process share."""
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *QUIET, *HIDDEN_PAGES_TOO])
    atexit.register(playwright.stop)
    return browser


@pytest.fixture
def page(tool):
    """A page with its own profile; `errors` has its scripts' errors, `problems` also those on the console."""
    context = chromium(tool("chromium")).new_context(accept_downloads=True)
    page = context.new_page()
    page.problems, page.errors = [], []
    page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
    for told in (page.problems, page.errors):
        page.on("pageerror", lambda error, told=told: told.append(str(error)))
    page.set_default_timeout(LIMIT_SECONDS * 1000)
    yield page
    context.close()


def agree(page) -> str:
    """Agree to the question that a script of the page asks; return it."""
    page.wait_for_selector("#asking:popover-open")
    question = page.inner_text("#asking .question")
    page.click("#asking button.danger")
    return question

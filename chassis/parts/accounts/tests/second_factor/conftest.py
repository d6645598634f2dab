"""The clock of an authenticator app, and a browser that is signed in."""

import pytest

from chassis.parts.accounts import totp
from chassis.parts.accounts.tests.devices import Clock


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(totp, "clock", clock)
    return clock


@pytest.fixture
def ada(people):
    """Ada's browser, signed in."""
    browser = people.browser()
    browser.sign_in()
    return browser

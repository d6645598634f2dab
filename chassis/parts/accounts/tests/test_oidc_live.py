"""Signing in by the provider at a real server, and in a real Chromium."""

import threading

import pytest

from chassis.parts.accounts.tests.conftest import ADA, LIVE_APP
from chassis.parts.accounts.tests.oidc_parts import START
from chassis.tests.conftest import ASYNC_MODE, Server, free_port
from chassis.tests.patience import wait_until
from chassis.tests.servers import copied_database

METADATA = "/.well-known/openid-configuration"


@pytest.fixture
def served(migrated, provider_of_module, tmp_path):
    """A real server whose people sign in by the provider alone, and which has not asked the provider yet."""
    port = free_port()
    env = {"APP_ENV": "test", "ASYNC_MODE": ASYNC_MODE, "PORT": str(port), "REQUIRE_CLIENT_API_KEY": "true"}
    env |= {"DATABASE_URL": copied_database(migrated, tmp_path), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    env |= {"ALLOWED_HOSTS": "127.0.0.1", "PASSWORD_SIGN_IN": "false", "OIDC_ISSUER": provider_of_module.url}
    env |= {"OIDC_CLIENT_ID": "client", "OIDC_CLIENT_SECRET": "secret of the client", "OIDC_NAME": "Example ID"}
    running = Server(tmp_path, LIVE_APP, env).wait_ready()
    yield running
    running.stop()


def test_a_provider_that_hangs_holds_up_nobody_else(served, provider):
    provider.lie(f"hang at {METADATA}")
    before = provider.asked().get(METADATA, 0)
    waiting = threading.Thread(target=lambda: served.get(START))
    waiting.start()
    wait_until(lambda: provider.asked().get(METADATA, 0) > before)
    for path in ("/sign-in", "/livez"):
        assert served.get(path)[0] == 200
    assert waiting.is_alive()
    provider.lie()
    waiting.join()


@pytest.mark.browser
def test_somebody_signs_in_by_the_provider_alone(served, provider, page):
    provider.has("ada", email=ADA, email_verified=True)
    page.goto(f"{served.url}/account")
    page.wait_for_url("**/sign-in?next=/account")
    assert page.locator("#password").count() == 0
    page.click("text=Sign in with Example ID")
    page.fill("input[name=sub]", "ada")
    page.click("button:has-text('Authorize')")
    page.wait_for_url("**/account")
    assert page.inner_text(".account .who") == ADA
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.errors == []

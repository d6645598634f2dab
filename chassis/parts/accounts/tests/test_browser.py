"""People in a real Chromium: the pages, and a live page whose socket is known by the cookie."""

import pytest

from chassis.parts.accounts import administration
from chassis.parts.accounts.tests.conftest import ADA, PASSWORD, ROOT_MAIL

pytestmark = pytest.mark.browser


def sign_in(page, email=ADA):
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("main button")


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def follow(page):
    """Follow the page's job as a feature's script does."""
    page.evaluate(
        "window.seen = [];"
        "Live.subscribe(document.getElementById('job').dataset.id, { onJob: (job) => seen.push(job.done) })"
    )


def test_a_page_is_live_for_who_is_signed_in_and_no_longer_for_who_was(server, operator, page, wait_for):
    page.clock.install()
    page.goto(server.url)
    page.wait_for_url("**/sign-in?next=/")
    page.goto(f"{server.url}/steps")
    page.wait_for_url("**/sign-in?next=/steps")
    assert page.locator("#connection").count() == 0
    sign_in(page)
    page.wait_for_url("**/steps")
    assert page.inner_text(".account .who") == ADA
    page.wait_for_selector("#connection[data-state=live]")
    page.click("#start")
    page.wait_for_url("**/steps/*")
    page.wait_for_selector("#connection[data-state=live]")
    follow(page)
    wait_for(lambda: page.evaluate("Math.max(...seen)") >= 5)
    assert page.problems == []
    job = page.url
    operator(administration.sign_out, ADA)
    page.wait_for_selector("#connection[data-state=out]")
    asked = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.clock.run_for(60_000)  # whatever the page would do within a minute it does now
    page.evaluate("fetch('/livez').then((answer) => answer.text())")
    assert asked == [], "who is signed out is not asked again and again"
    page.click("#connection a")
    page.wait_for_url("**/sign-in?next=/steps/*")
    sign_in(page)
    page.wait_for_url(job)
    page.wait_for_selector("#connection[data-state=live]")
    follow(page)
    wait_for(lambda: page.evaluate("seen.length") >= 2)


def test_an_admin_invites_and_the_guest_comes_in(server, page):
    page.goto(f"{server.url}/admin/accounts")
    sign_in(page, ROOT_MAIL)
    page.wait_for_url("**/admin/accounts")
    page.fill("#email", "grace@example.org")
    page.click("main button.primary")
    link = page.input_value("#link")
    guest = page.context.browser.new_page()
    guest.goto(link)
    guest.fill("#name", "Grace")
    for field in ("#password", "#again"):
        guest.fill(field, PASSWORD)
    guest.click("main button")
    guest.wait_for_selector(".account .who >> text=grace@example.org")
    page.goto(f"{server.url}/admin/accounts")
    page.click("text=grace@example.org")
    page.click("text=Disable account")
    page.get_by_role("dialog", name="Disable the account grace@example.org?").get_by_text("Disable account").click()
    page.wait_for_selector("text=disabled, user")
    guest.goto(f"{server.url}/account")
    guest.wait_for_url("**/sign-in?next=/account")
    guest.close()
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.wait_for_url("**/sign-in?next=/admin/accounts/*")
    assert page.errors == []


def test_a_phone_needs_no_horizontal_scroll(server, page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{server.url}/sign-in")
    assert width(page) <= 360
    sign_in(page, ROOT_MAIL)
    page.wait_for_selector(".account .who")
    for path in ("/account", "/admin/accounts"):
        page.goto(server.url + path)
        assert width(page) <= 360, path
    page.click("tbody a")
    page.wait_for_url("**/admin/accounts/*", wait_until="load")
    assert width(page) <= 360
    assert page.problems == []

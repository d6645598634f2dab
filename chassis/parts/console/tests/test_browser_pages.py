"""The console's pages in a real Chromium: small, still, and useful with a mouse, a keyboard, a phone and a colour."""

import re

import pytest

from chassis.parts.console.tests.conftest import SHIFT, opened, send, stored
from chassis.parts.console.tests.test_brand import png

pytestmark = pytest.mark.browser
PAGES = ("jobs", "schedules", "upstream", "people", "settings")


def test_it_fits_a_phone_in_light_and_dark(server, console):
    job = stored(server, 1)[0]
    for path in ("", *PAGES, f"jobs/{job}"):
        opened(server, console, path)
        for scheme in ("light", "dark"):
            console.emulate_media(color_scheme=scheme)
            for width in (1200, 880, 800, 360):
                console.set_viewport_size({"width": width, "height": 740})
                assert console.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
    assert console.problems == []


def test_no_page_jumps_while_it_loads(server, console):
    job = stored(server, 30)[0]
    for width in (1280, 390):
        console.set_viewport_size({"width": width, "height": 800})
        for path in ("", *PAGES, f"jobs/{job}"):
            opened(server, console, path)
            console.wait_for_load_state("networkidle")
            assert console.evaluate(SHIFT) < 0.05, (path, width)
    console.click("nav[aria-label=Console] >> text=Jobs")
    assert console.title().startswith("Jobs · Console · ")


def test_a_part_whose_script_comes_late_is_told_what_it_missed(server, console):
    """Over a slow network, the socket may be connected before the last script is there."""
    held = []
    console.route("**/overview*.js", lambda route: held.append(route))
    console.goto(f"{server.url}/admin/console", wait_until="commit")
    console.wait_for_selector("#state[data-ready=true]")
    held[0].continue_()
    console.locator("#worker >> text=pid").wait_for()
    assert console.problems == []


def test_the_overview_leads_to_a_job_that_fails_now(server, console):
    opened(server, console, "")
    job = stored(server, 1, "queued", "talk", {"nothing": "to say"})[0]
    console.locator(f"#failed a[href$='{job}']").click()
    console.locator("#traceback >> text=KeyError").wait_for()
    assert console.problems == []


def test_the_charts_are_read_with_the_keyboard(console, wait_for):
    wait_for(lambda: console.locator(".chart canvas").count() == 9)
    tile = console.locator(".tile").first
    tile.focus()
    spoken, other = tile.locator("[aria-live]"), console.locator(".tile").nth(4).locator(".when")
    wait_for(lambda: tile.press("End") or re.match(r"\d\d:\d\d:\d\d: \d+", spoken.inner_text()))
    wait_for(lambda: re.match(r"\d\d:\d\d", other.inner_text()))  # the crosshair is the same in all charts
    assert console.problems == []


def test_a_key_is_revoked_after_a_question_that_is_not_there_before(server, console):
    console.goto(f"{server.url}/admin/keys")
    console.get_by_label("Name").fill("old scanner")
    console.get_by_role("button", name="Create key").click()
    opened(server, console, "people?q=old+scanner")
    key, question = console.locator("#keys li").first, console.locator("#keys .ask").first
    assert question.is_hidden()
    key.get_by_role("button").first.click()
    question.get_by_text("(old scanner)?").wait_for()
    console.keyboard.press("Escape")
    question.wait_for(state="hidden")
    key.get_by_role("button").first.click()
    question.get_by_role("button", name="Revoke key").click()
    console.get_by_text("revoked", exact=True).first.wait_for()
    assert console.problems == []


def test_settings_are_searched(server, console, wait_for):
    opened(server, console, "settings")
    console.fill("#q", "retention jobs")
    wait_for(lambda: console.locator(".setting:not([hidden])").count() in range(1, 6))
    shown = console.locator("#RETENTION_JOBS_DAYS").inner_text()
    assert all(part in shown for part in ("30", "days", "How long ended jobs are kept", "default"))
    assert console.url.endswith("?q=retention+jobs")
    console.reload()
    assert console.locator(".setting:not([hidden])").count() in range(1, 6)
    console.fill("#q", "no such setting")
    console.get_by_text("No setting matches.").wait_for()
    assert console.problems == []


def test_a_brand_is_given_in_the_browser(server, console):
    opened(server, console, "settings")
    console.fill("#brand-name", "Herons")
    console.fill("#brand-colour", "#7a1fa2")
    console.uncheck("[name=plain]")
    console.set_input_files("#brand-logo", {"name": "logo.png", "mimeType": "image/png", "buffer": png(40, 40)})
    console.click("#brand button")
    console.wait_for_selector(".brand img.logo")
    assert console.inner_text(".brand") == "Herons"
    assert console.title() == "Settings · Console · Herons"
    assert (
        console.evaluate("getComputedStyle(document.querySelector('button.primary')).backgroundColor")
        == "rgb(122, 31, 162)"
    )
    assert console.evaluate("document.querySelector('.brand img').naturalWidth") == 40
    console.fill("#brand-name", "")
    console.check("[name=plain]")
    console.check("[name=remove_logo]")
    console.click("#brand button")
    console.wait_for_selector(".brand .mark")
    assert console.problems == []


def test_what_is_acted_on_changes_despite_the_focus_and_maintenance_shows_on_open_pages(server, console):
    opened(server, console, "schedules")
    console.locator("#schedules li", has_text="cleanup").get_by_role("button").click()
    console.locator("#schedules li", has_text="cleanup").locator(".badge[data-status=succeeded]").wait_for()
    assert console.evaluate("document.activeElement.textContent") == "Run now"
    assert console.locator("#schedules time").first.get_attribute("title").endswith(" UTC")
    send(server, "/admin/console/maintenance", {"reason": "The database is moving."})
    console.wait_for_selector("#maintenance-banner >> text=The database is moving.")
    send(server, "/admin/console/maintenance", {"reason": ""})
    console.wait_for_selector("#maintenance-banner", state="hidden")


def test_a_mode_that_ended_before_the_page_connected_does_not_show(server, console):
    send(server, "/admin/console/maintenance", {"reason": "The database is moving."})

    def end(route):
        send(server, "/admin/console/maintenance", {"reason": ""})
        route.continue_()

    console.route("**/vendor/socket.io*.js", end)
    opened(server, console, "schedules")
    console.wait_for_selector("#maintenance-banner", state="hidden")

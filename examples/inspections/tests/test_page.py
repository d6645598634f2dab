"""The page in a real Chromium."""

import pytest

from app.features.inspections.tests.conftest import dark, picture
from chassis.tests.browser import agree
from chassis.tests.patience import wait_until

pytestmark = pytest.mark.browser
PATH = "/inspections"


@pytest.fixture
def server(shared_with):
    return shared_with()


def choose(page, *images):
    page.set_input_files("#files", [{"name": n, "mimeType": "image/jpeg", "buffer": image} for n, image in images])
    page.click("#send")


def names(page):
    return page.locator("#wall .name").all_inner_texts()


def test_images_are_uploaded_and_their_verdicts_come_live_also_to_other_viewers(server, page):
    page.goto(server.url + PATH)
    page.wait_for_selector("#connection[data-state=live]")
    other = page.context.new_page()
    other.goto(server.url + PATH)
    other.wait_for_selector("#connection[data-state=live]")
    choose(page, ("bright.jpg", picture(40)), ("dark.jpg", dark(40)))
    page.wait_for_selector("#status[data-status=succeeded]")
    for viewer in (page, other):
        wait_until(lambda v=viewer: {"bright.jpg", "dark.jpg"} <= set(names(v)))
        wait_until(lambda v=viewer: v.locator("#wall .badge[data-verdict=defect]").count() >= 1)
    wait_until(lambda: page.evaluate("document.querySelector('#wall img')?.naturalWidth > 0"))
    assert page.problems == []


def test_images_are_filtered_by_verdict_and_corrected(server, page):
    page.goto(server.url + PATH)
    choose(page, ("fine.jpg", picture(41)), ("night.jpg", dark(41)))
    page.wait_for_selector("#status[data-status=succeeded]")
    page.locator("#filter label", has_text="Defect").click()
    wait_until(lambda: names(page) == ["night.jpg"])
    page.click("#wall button")
    page.wait_for_selector("#detail[open]")
    page.fill("#note", "night shift")
    page.click("#correction [data-verdict=ok]")
    wait_until(lambda: "Corrected from defect" in page.inner_text("#detail-corrected"))
    assert "night shift" in page.inner_text("#detail-corrected")
    page.click("#detail form[method=dialog] button")
    wait_until(lambda: names(page) == [])
    page.locator("#filter label", has_text="Corrected").click()
    wait_until(lambda: names(page) == ["night.jpg"])
    assert page.problems == []


def test_a_cancelled_inspection_waits_no_longer_on_any_page_and_can_be_continued(shared_with, page):
    page.goto(shared_with(JOBS_EMBEDDED="false").url + PATH)
    page.wait_for_selector("#connection[data-state=live]")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("#connection[data-state=live]")
    choose(page, ("one.jpg", picture(44)), ("two.jpg", picture(45)))
    for state, said, button in (("pending", "waiting", "#cancel"), ("skipped", "not inspected", "#continue")):
        for viewer in (page, other):
            badges = viewer.locator(f"#wall .badge[data-verdict={state}]")
            wait_until(lambda badges=badges: badges.count() == 2)
            assert badges.first.inner_text() == said
        page.click(button)
    page.wait_for_selector("#status[data-status=queued]")
    wait_until(lambda: other.locator("#wall .badge[data-verdict=pending]").count() == 2)
    assert page.problems == []


def test_a_refused_upload_is_told_and_a_deleted_inspection_leaves_the_wall(server, page):
    page.goto(server.url + PATH)
    choose(page, ("broken.jpg", picture(42)[:2_000]))
    wait_until(lambda: "broken.jpg is refused" in page.inner_text("#error"))
    choose(page, ("gone.jpg", picture(43)))
    page.wait_for_selector("#status[data-status=succeeded]")
    page.click("#remove")
    agree(page)
    wait_until(lambda: page.is_hidden("#one"))
    wait_until(lambda: "gone.jpg" not in names(page))

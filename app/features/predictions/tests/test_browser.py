"""Batches and their list in a real Chromium."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.features.predictions.tests.batches import done
from chassis.tests.conftest import same_in_every_mode

SPECIES = Path(__file__).parents[1] / "species.csv"
pytestmark = pytest.mark.browser


def test_a_batch_from_upload_to_download(serve, page, wait_for):
    server = serve(UPSTREAM_REQUESTS_PER_SECOND="25")
    page.goto(f"{server.url}/predictions")
    page.wait_for_selector("#empty")
    assert page.is_disabled("#run")
    page.set_input_files("#file", SPECIES)
    page.click(".chip >> text={species}")
    page.fill("#prompt", "Is {species} pathogenic? Answer: yes or no")
    assert "First row: Is " in page.inner_text("#preview")
    page.click("#run")
    page.wait_for_url("**/predictions/*")
    page.wait_for_selector("#connection[data-state=live]")
    assert page.inner_text("#connection") == "Live"
    wait_for(lambda: done(page) >= 10)
    first = done(page)
    wait_for(lambda: done(page) > first)
    wait_for(lambda: "rows/s" in page.inner_text("#rate"))
    page.reload()
    wait_for(lambda: done(page) > first)
    page.click("#cancel")
    page.wait_for_selector("#status[data-status=cancelled]")
    batch = f"/api{urlsplit(page.url).path}"
    stopped = wait_for(lambda: (now := done(page)) == server.json(batch)["done"] and now)
    later = server.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": str(i)} for i in range(20)]})[1]
    wait_for(lambda: server.json(f"/api/predictions/{later['id']}")["status"] == "succeeded")
    assert done(page) == server.json(batch)["done"] == stopped < 200
    page.click("#continue")
    page.wait_for_selector("#status[data-status=succeeded]")
    assert done(page) == 200
    with page.expect_download() as download:
        page.click("text=Download CSV")
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == '"species","gram_stain","phylum","output","status","error"'
    assert len(lines) == 201
    assert page.problems == []


@pytest.mark.long
@same_in_every_mode
def test_two_viewers_see_the_same_and_one_comes_back_after_a_lost_server(serve, page, wait_for):
    server = serve(UPSTREAM_REQUESTS_PER_SECOND="10")
    page.goto(f"{server.url}/predictions")
    page.click("#example")
    page.wait_for_url("**/predictions/*")
    other = page.context.new_page()
    other.goto(page.url)
    wait_for(lambda: done(page) > 5 and done(other) > 5)
    server.stop()
    page.wait_for_selector("#connection[data-state=offline]")
    server.start()
    server.wait_ready()
    for one in (page, other):
        one.wait_for_selector("#connection[data-state=live]")
        one.wait_for_selector("#status[data-status=running]")
        before = done(one)
        wait_for(lambda o=one, b=before: done(o) > b)


@same_in_every_mode
def test_a_server_side_mistake_is_shown_in_words(shared, page):
    page.goto(f"{shared.url}/predictions")
    too_many = b"species\n" + b"x\n" * 10_001
    page.set_input_files("#file", {"name": "many.csv", "mimeType": "text/csv", "buffer": too_many})
    page.fill("#prompt", "{species}")
    page.click("#run")
    page.wait_for_selector("#error:not([hidden])")
    assert "at most 10,000" in page.inner_text("#error")


@same_in_every_mode
def test_a_phone_needs_no_horizontal_scroll(shared, page):
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/predictions", "/nothing"):
        page.goto(shared.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_a_server_that_offers_websocket_only_is_live(slow, page):
    page.goto(f"{slow.url}/predictions")
    page.wait_for_selector("#connection[data-state=live]")
    assert page.problems == []


def test_a_server_that_offers_polling_only_is_live(serve, page):
    server = serve(SOCKET_TRANSPORTS="polling")
    page.goto(f"{server.url}/predictions")
    page.wait_for_selector("#connection[data-state=live]")


@pytest.mark.long
@same_in_every_mode
def test_a_batch_that_somebody_else_starts_comes_into_the_list(serve, page):
    server = serve()
    page.goto(f"{server.url}/predictions")
    page.wait_for_selector("#empty:not([hidden])")
    server.post("/api/predictions", {"name": "from elsewhere", "prompt": "{n}", "rows": [{"n": "1"}]})
    page.wait_for_selector("#batches >> text=from elsewhere")
    page.wait_for_selector("#batches .badge[data-status=succeeded]")


@same_in_every_mode
def test_the_list_holds_still_under_the_pointer_and_offers_what_is_new(serve, page):
    server = serve()
    server.post("/api/predictions", {"name": "second", "prompt": "{n}", "rows": [{"n": "1"}]})
    page.goto(f"{server.url}/predictions")
    page.hover("#batches li:first-child")
    server.post("/api/predictions", {"name": "third", "prompt": "{n}", "rows": [{"n": "1"}]})
    page.wait_for_selector("#new-batches >> text=1 new batch")
    assert page.inner_text("#batches li:first-child a") == "second"
    page.hover("#batches-title")
    page.wait_for_selector("#batches li:first-child >> text=third")
    assert page.get_attribute("#batches time", "title").endswith(" UTC")

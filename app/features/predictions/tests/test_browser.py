"""The pages in a real Chromium."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.tests.conftest import same_in_every_mode

SPECIES = Path(__file__).parents[1] / "species.csv"
pytestmark = pytest.mark.browser
UNANSWERED = ".grid-space .grid-row .badge:not([data-status=succeeded])"
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


@pytest.fixture
def slow(shared_with):
    """A server on which a batch of a hundred rows takes five seconds, and which offers WebSocket only."""
    return shared_with(UPSTREAM_REQUESTS_PER_SECOND="20", SOCKET_TRANSPORTS="websocket")


def done(page):
    """Return how many rows the page shows as done; 0 before it has heard of any."""
    shown = re.match(r"[\d,]+", page.inner_text("#done"))
    return int(shown[0].replace(",", "")) if shown else 0


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
    assert "rows/s" in page.inner_text("#rate")
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


@pytest.mark.long
@same_in_every_mode
def test_ten_thousand_rows_keep_few_elements_and_the_last_row_is_reached(serve, page, wait_for):
    server = serve(UPSTREAM_REQUESTS_PER_SECOND="1")
    rows = [{"n": f"row {i}"} for i in range(10_000)]
    made = server.post("/api/predictions", {"name": "many", "prompt": "{n}", "rows": rows})[1]
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector(".grid-space .grid-row >> text=row 0")
    page.evaluate("document.getElementById('grid').scrollTop = 1e9")
    page.wait_for_selector(".grid-space .grid-row >> text=row 9999")
    assert page.locator(".grid-space .grid-row").count() < 60


@same_in_every_mode
def test_a_server_side_mistake_is_shown_in_words(shared, page):
    page.goto(shared.url)
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


def see_all_answered(page, wait_for):
    """Scroll through all rows; none of them keeps looking unanswered."""
    for top in range(0, page.evaluate("document.getElementById('grid').scrollHeight"), 400):
        page.evaluate(f"document.getElementById('grid').scrollTop = {top}")
        page.evaluate(DRAWN)
        wait_for(lambda: page.locator(UNANSWERED).count() == 0, f"rows at {top} look unanswered")


@pytest.mark.long
@same_in_every_mode
def test_rows_that_finish_while_their_page_is_on_its_way_are_not_lost(serve, page, wait_for):
    server = serve(UPSTREAM_REQUESTS_PER_SECOND="40")
    made = server.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": str(i)} for i in range(120)]})[1]

    def late(route):
        answer = route.fetch()
        body, before = answer.body(), done(page)
        wait_for(lambda: done(page) > before or done(page) == 120)
        route.fulfill(response=answer, body=body)

    page.route("**/rows?offset*", late)
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector("#status[data-status=succeeded]")
    see_all_answered(page, wait_for)


def test_a_server_that_offers_websocket_only_is_live(slow, page):
    page.goto(slow.url)
    page.wait_for_selector("#connection[data-state=live]")
    assert page.problems == []


def test_a_server_that_offers_polling_only_is_live(serve, page):
    server = serve(SOCKET_TRANSPORTS="polling")
    page.goto(f"{server.url}/predictions")
    page.wait_for_selector("#connection[data-state=live]")


@pytest.mark.long
@same_in_every_mode
def test_a_retry_by_one_viewer_is_seen_by_the_other(serve, fake_upstream, page, wait_for):
    keys = {"UPSTREAM_BASE_URL": fake_upstream(latency=1.0).base_url, "OPENROUTER_API_KEY": "sk-local-12345678"}
    server = serve(**keys, UPSTREAM_MAX_RETRIES="0")
    rows = [{"n": "good"}, {"n": "[400x1] once"}]
    made = server.post("/api/predictions", {"prompt": "say {n}", "rows": rows})[1]
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector(".grid-space .badge[data-status=failed]")
    page.wait_for_selector("#status[data-status=succeeded]")
    assert server.post(f"/api/predictions/{made['id']}/requeue", {"failed": True})[0] == 202
    page.wait_for_selector(".grid-space .badge:is([data-status=pending], [data-status=running])")
    page.wait_for_selector(".grid-space >> text=echo: say [400x1] once")
    assert page.inner_text("#failed") == "0"


@same_in_every_mode
def test_the_rows_are_one_tab_stop_and_the_keyboard_opens_one(shared, page):
    made = shared.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": f"row {i}"} for i in range(300)]})[1]
    page.goto(f"{shared.url}/predictions/{made['id']}")
    page.wait_for_selector(".grid-space .grid-row >> text=row 0")
    page.focus("#grid")
    page.keyboard.press("End")
    page.wait_for_selector(".grid-space .grid-row >> text=row 299")
    page.keyboard.press("Enter")
    assert page.inner_text("#detail-title") == "Row 300"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "grid"
    page.keyboard.press("Tab")
    assert page.locator(".grid-space :focus").count() == 0


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
def test_a_phone_shows_each_rows_status_in_words(shared, page):
    made = shared.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": "one"}]})[1]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{shared.url}/predictions/{made['id']}")
    page.wait_for_selector(".grid-space .badge >> text=succeeded")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_that_lost_its_connection_gets_the_missed_rows_by_the_socket(slow, page, wait_for):
    made = slow.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": str(i)} for i in range(100)]})[1]
    with page.expect_response(lambda response: "after=" in response.url):  # what a page asks once it has joined
        page.goto(f"{slow.url}/predictions/{made['id']}")
    joined = done(page)
    wait_for(lambda: done(page) > joined)
    page.evaluate("Live.rooms.socket.io.reconnection(false); Live.rooms.socket.io.engine.close()")
    page.wait_for_selector("#connection[data-state=offline]")
    before = done(page)
    missed = wait_for(lambda: (now := slow.json(f"/api/predictions/{made['id']}")["done"]) > before + 20 and now)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "after=" in request.url else None)
    page.evaluate("Live.rooms.socket.io.reconnection(true); Live.rooms.socket.connect()")
    wait_for(lambda: done(page) >= missed)
    assert asked == []
    page.wait_for_selector("#status[data-status=succeeded]")
    assert done(page) == 100
    see_all_answered(page, wait_for)


@same_in_every_mode
def test_failed_rows_are_seen_found_and_retried(own, page):
    server, _ = own(UPSTREAM_MAX_RETRIES="0")
    rows = [{"n": "good"}, {"n": "better"}, {"n": "best"}, {"n": "[400x1] bad"}]
    made = server.post("/api/predictions", {"name": "mixed", "prompt": "say {n}", "rows": rows})[1]
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector("#status[data-status=succeeded][data-failures]")
    assert (page.inner_text("#status"), page.title().partition(" · ")[0]) == ("succeeded, 25% failed", "1 failed")
    page.check("#only-failed")
    page.get_by_text("1 row found").wait_for()
    page.wait_for_selector(".grid-space .grid-row >> text=[400x1] bad")
    assert page.locator(".grid-space .grid-row").all_inner_texts()[0].split()[0] == "4"
    page.uncheck("#only-failed")
    page.fill("#search", "BETTER")
    page.get_by_text("1 row found").wait_for()
    page.wait_for_selector(".grid-space .grid-row >> text=echo: say better")
    assert page.locator(".grid-space .grid-row").count() == 1
    page.fill("#search", "")
    page.click("text=Retry 1 failed row")
    page.wait_for_selector("#status[data-status=succeeded]:not([data-failures])")
    assert page.title().startswith("Done · mixed")
    assert page.problems == []


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

"""The table of a batch's rows in a real Chromium: complete, live, and useful with a keyboard and on a phone."""

import pytest

from app.features.predictions.tests.batches import done
from chassis.tests.conftest import same_in_every_mode

pytestmark = pytest.mark.browser
UNANSWERED = ".grid-space .grid-row .badge:not([data-status=succeeded])"
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


def see_all_answered(page, wait_for):
    """Scroll through all rows; none of them keeps looking unanswered."""
    for top in range(0, page.evaluate("document.getElementById('grid').scrollHeight"), 400):
        page.evaluate(f"document.getElementById('grid').scrollTop = {top}")
        page.evaluate(DRAWN)
        wait_for(lambda: page.locator(UNANSWERED).count() == 0, f"rows at {top} look unanswered")


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


@same_in_every_mode
def test_a_phone_shows_each_rows_status_in_words(shared, page):
    made = shared.post("/api/predictions", {"prompt": "{n}", "rows": [{"n": "one"}]})[1]
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{shared.url}/predictions/{made['id']}")
    page.wait_for_selector(".grid-space .badge >> text=succeeded")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


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

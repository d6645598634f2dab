"""Views of the pages that have an address, and what is shown without scripts or without live updates."""

import re

import pytest

from app.features.predictions.tests.batches import ask, ended, keys_of, numbers
from chassis.tests.browser import agree, chromium
from chassis.tests.conftest import same_in_every_mode

pytestmark = [pytest.mark.browser, same_in_every_mode]
ROW = ".grid-space .grid-row"
DROP = """() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["species\\n" + "x\\n".repeat(2000)], "many.csv", { type: "text/csv" }));
  const options = { dataTransfer, bubbles: true, cancelable: true };
  for (const name of ["dragover", "drop"]) document.querySelector("footer").dispatchEvent(new DragEvent(name, options));
}"""


@pytest.fixture
def batch(shared, wait_for):
    """The URL of an ended batch of three hundred rows."""
    made = ask(shared, numbers(300), prompt="{n}: yes or no", name="views")
    ended(shared, wait_for, made)
    return f"{shared.url}/predictions/{made['id']}"


def test_a_search_and_an_open_row_are_in_the_address_and_back_works(batch, page):
    page.goto(batch)
    page.fill("#search", "299")
    page.wait_for_url("**?search=299")
    page.get_by_text("1 row found").wait_for()
    page.click(f"{ROW} >> text=299")
    page.wait_for_url("**?search=299&row=300")
    assert page.inner_text("#detail-title") == "Row 300"
    page.go_back()
    page.wait_for_selector("#detail:not([open])", state="attached")
    assert page.input_value("#search") == "299"
    page.go_back()
    page.wait_for_selector(f"{ROW} >> text=17")
    assert (page.input_value("#search"), page.url) == ("", batch)
    assert page.problems == []


def test_a_linked_row_opens_and_leads_to_its_neighbours(batch, page):
    page.goto(f"{batch}?row=250")
    page.get_by_text("Row 250", exact=True).wait_for()
    page.click("#next")
    page.get_by_text("Row 251", exact=True).wait_for()
    page.wait_for_url("**?row=251")
    page.click("#previous")
    page.get_by_text("Row 250", exact=True).wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") in ("yes", "no")
    page.keyboard.press("Escape")
    page.wait_for_url(batch)


def test_a_batch_is_renamed_run_again_and_deleted_on_its_page(batch, page):
    page.goto(batch)
    page.click("#rename")
    page.fill("#new-name", "renamed")
    page.click("#rename-dialog .primary")
    page.wait_for_selector("h1 >> text=renamed")
    page.wait_for_function("document.title.startsWith('Done · renamed · ')")
    page.click("#rename")
    page.fill("#new-name", "not this")
    page.keyboard.press("Escape")
    page.click("#again")
    page.wait_for_url(lambda url: "/predictions/" in url and url != batch)
    page.wait_for_selector("#status[data-status=succeeded]")
    page.click("#delete")
    assert agree(page) == "Delete the batch “renamed” with all its answers?"
    page.wait_for_url("**/predictions")


def test_waiting_rows_rows_in_progress_and_done_rows_are_told_apart(serve, upstream, page):
    upstream.hold_after(2)
    server = serve(**keys_of(upstream), UPSTREAM_MAX_CONCURRENT_REQUESTS="3")
    made = ask(server, numbers(9))
    page.goto(f"{server.url}/predictions/{made['id']}")
    for word, count in (("succeeded", 2), ("in progress", 3), ("waiting", 4)):
        badges = page.locator(f"{ROW} .badge", has_text=re.compile(f"^{word}$"))
        badges.nth(count - 1).wait_for()
        assert badges.count() == count
    page.wait_for_function("document.getElementById('asked').textContent === '3'")
    assert page.inner_text("#waiting") == "4"
    assert page.title().startswith("22% · ")


def test_the_last_of_many_columns_is_reached(shared, page):
    row = {f"column {number}": f"value {number}" for number in range(12)}
    made = ask(shared, [row], prompt="{column 0}")
    page.goto(f"{shared.url}/predictions/{made['id']}")
    page.locator(f"{ROW} >> text=value 11").scroll_into_view_if_needed()
    assert page.evaluate("document.getElementById('grid').scrollLeft") > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_file_that_is_dropped_anywhere_is_taken_and_the_time_is_estimated(shared, page):
    page.goto(f"{shared.url}/predictions")
    page.check("input[value=lines]", force=True)
    page.evaluate(DROP)
    page.click(".chip >> text={species}")
    page.get_by_text("About 2,000 rows in 2 s.").wait_for()
    assert page.input_value("#name") == "many"


def test_the_cost_of_the_prompts_is_estimated_where_there_are_prices(serve, upstream, page):
    server = serve(**keys_of(upstream), PRICE_PER_MTOK_INPUT="1000000", PRICE_PER_MTOK_OUTPUT="2")
    page.goto(f"{server.url}/predictions")
    page.check("input[value=lines]", force=True)
    page.fill("#lines", "abcd\nefgh")
    page.fill("#prompt", "{text}{text}")
    page.get_by_text("the prompts cost about 4.00 USD, a million answer tokens cost 2.0 USD").wait_for()


def test_pages_of_the_list_have_an_address(serve, page):
    server = serve()
    for number in range(21):
        ask(server, [{"n": "1"}], name=f"batch {number}")
    page.goto(f"{server.url}/predictions?page=2")
    page.wait_for_selector("#batches >> text=batch 0")
    page.click("#newer")
    page.wait_for_selector("#batches >> text=batch 20")
    page.go_back()
    page.wait_for_selector("#batches >> text=batch 0")
    assert page.inner_text("#page") == "Page 2 of 2"


def test_without_the_socket_library_the_page_says_so_and_still_shows_new_rows(serve, upstream, page):
    upstream.hold_after(1)
    server = serve(**keys_of(upstream))
    made = ask(server, numbers(4))
    page.route("**/socket.io*.js", lambda route: route.abort())
    page.goto(f"{server.url}/predictions/{made['id']}")
    page.wait_for_selector("#connection >> text=No live updates")
    page.wait_for_selector(f"{ROW} >> text=echo: say 0")
    upstream.release()
    page.wait_for_selector("#status[data-status=succeeded]")
    page.wait_for_selector(f"{ROW} >> text=echo: say 3")
    assert page.errors == []


def test_without_scripts_a_sentence_says_so_and_the_batches_are_listed(batch, shared, tool):
    context = chromium(tool("chromium")).new_context(java_script_enabled=False)
    page = context.new_page()
    for path in (batch, f"{shared.url}/predictions"):
        page.goto(path)
        assert "need JavaScript" in page.locator("noscript .banner").inner_text()
        assert "views" in page.inner_text("main")
    context.close()

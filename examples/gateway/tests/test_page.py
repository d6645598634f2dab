"""The page, in a real browser."""

import pytest

pytestmark = pytest.mark.browser


def test_the_page_shows_the_backends_and_the_calls_live(gateway, backends, page):
    one, two = backends(name="one"), backends(name="two")
    client = gateway(one, two)
    page.goto(f"{client.url}/gateway")
    page.wait_for_selector("#backends tbody tr >> nth=1")
    assert client.text().endswith("hi")
    page.wait_for_selector("#calls tbody tr >> text=done")
    two.status = 500
    page.wait_for_selector("#backends tbody tr:has-text('two') .badge[data-status=failed]")
    page.wait_for_selector("#backends tbody tr:has-text('two') .detail:has-text('it answered 500')")
    assert page.evaluate("(box => box.scrollWidth - box.clientWidth)(document.querySelector('.scroll'))") == 0
    page.set_viewport_size({"width": 360, "height": 740})
    for badge in ("#backends .badge", "#calls .badge"):  # what matters most is seen without scrolling
        box = page.locator(badge).first.bounding_box()
        assert box["x"] + box["width"] <= 360, badge
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.problems == []


def test_the_page_says_how_to_begin(gateway, page):
    page.goto(f"{gateway().url}/gateway")
    page.wait_for_selector("#empty:not([hidden])")

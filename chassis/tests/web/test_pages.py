"""The first page, the icon, and what every page knows."""

from chassis.base.service import current
from chassis.wiring import Link, wiring_of


def test_the_first_page_is_the_first_feature(small):
    wiring_of(small.app).navigation += [Link("A", "/a"), Link("B", "/b")]
    answer = small.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/a")


def test_without_a_feature_there_is_a_welcome(small):
    answer = small.client.get("/")
    assert answer.status_code == 200
    assert "The service is running" in answer.text


def test_every_page_has_the_navigation_and_the_version(small):
    wiring_of(small.app).navigation.append(Link("Things", "/things"))
    page = small.client.get("/missing", headers={"Accept": "text/html"}).text
    assert '<a href="/things">Things</a>' in page
    assert current().version in page


def test_the_icon_is_where_browsers_look(small):
    answer = small.client.get("/favicon.ico")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")


def test_search_engines_stay_out_of_the_api(small):
    answer = small.client.get("/robots.txt")
    assert answer.mimetype == "text/plain"
    assert "Disallow: /api/" in answer.text

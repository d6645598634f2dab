"""Pages of listed origins call /api, as real browsers have it, and no others."""

import functools
import http.server
import threading

import pytest

from chassis.tests.security.conftest import CLIENT as KEY
from chassis.tests.security.conftest import FRIEND, FRIENDS_PORT, MANY, ask

FOE = "https://foe.example"
PREFLIGHT = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type,x-api-key"}
PAGE = """<!doctype html><title>elsewhere</title>"""
FETCH = """async ([url, key]) => {
  const answer = await fetch(url, {headers: {"X-API-Key": key}, credentials: "include"});
  const read = (name) => answer.headers.get(name);
  return [answer.status, read("X-Request-ID") !== null, read("RateLimit-Limit"), (await answer.json()).jobs !== null];
}"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The origin of a page on another port."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", FRIENDS_PORT), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{FRIENDS_PORT}"
        server.shutdown()


@pytest.fixture
def server(attacked):
    return attacked


def given(answer):
    return {name.lower(): value for name, value in answer.headers.items() if name.lower().startswith("access-control-")}


def test_a_preflight_of_a_friend_needs_no_key_and_costs_nothing(server):
    answer = ask(server, "/api/jobs/1", "OPTIONS", Origin=FRIEND, **PREFLIGHT)
    assert (answer.status, answer.text) == (204, "")
    assert given(answer)["access-control-allow-origin"] == FRIEND
    assert given(answer)["access-control-allow-credentials"] == "true"
    assert "PUT" in given(answer)["access-control-allow-methods"]
    assert given(answer)["access-control-allow-headers"] == "content-type,x-api-key"
    assert "Origin" in answer.headers["Vary"]
    assert answer.headers["RateLimit-Limit"] is None


@pytest.mark.parametrize("origin", [FOE, "null", "https://friend.example.foe.example", "https://FRIEND.example", "*"])
def test_nobody_else_is_allowed_anything(server, origin):
    for answer in (
        ask(server, "/api/jobs", "OPTIONS", Origin=origin, **PREFLIGHT),
        ask(server, "/api/jobs", Origin=origin, X_API_Key=KEY),
    ):
        assert given(answer) == {}
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(("path", "shown", "status"), [("jobs", KEY, 200), ("jobs", "", 401), ("nothing", KEY, 404)])
def test_a_friend_reads_every_answer_errors_too(server, path, shown, status):
    answer = ask(server, f"/api/{path}", Origin=FRIEND, **({"X_API_Key": shown} if shown else {}))
    assert answer.status == status
    assert given(answer)["access-control-allow-origin"] == FRIEND
    exposed = given(answer)["access-control-expose-headers"]
    assert {"X-Request-ID", "RateLimit-Remaining", "Retry-After"} <= set(exposed.split(", "))


def test_pages_are_for_ourselves(server):
    for path in ("/", "/livez", "/static/app.css", "/metrics"):
        assert given(ask(server, path, Origin=FRIEND)) == {}, path


def test_a_header_that_is_no_name_is_not_repeated(server):
    wanted = PREFLIGHT | {"Access_Control_Request_Headers": 'x-a"; y'}
    answer = ask(server, "/api/jobs", "OPTIONS", Origin=FRIEND, **wanted)
    assert "access-control-allow-headers" not in given(answer)


@pytest.mark.browser
def test_a_real_browser_lets_the_friends_page_read_and_no_other(server, elsewhere, page):
    page.goto(elsewhere)
    assert page.evaluate(FETCH, [f"{server.url}/api/jobs", KEY]) == [200, True, str(MANY), True]
    page.goto(elsewhere.replace("127.0.0.1", "localhost"))  # another origin
    with pytest.raises(Exception, match="Failed to fetch"):
        page.evaluate(FETCH, [f"{server.url}/api/jobs", KEY])

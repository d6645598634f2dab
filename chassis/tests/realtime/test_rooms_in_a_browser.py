"""The pages' helper in a real Chromium: a cut connection costs no event and doubles none."""

import pytest

pytestmark = [pytest.mark.browser]

FOLLOW = """([room, event]) => {
  Object.assign(window, { got: [], resyncs: 0 });
  const on = { news: (data) => got.push(data.n) };
  Live.rooms.follow(room, { event, message: { name: room }, on, resync: () => { resyncs += 1; } });
}"""
CUT = "Live.rooms.socket.io.reconnection(false); Live.rooms.socket.io.engine.close()"
RECONNECT = "Live.rooms.socket.io.reconnection(true); Live.rooms.socket.connect()"


def publish(server, room, count, first):
    assert server.post(f"/publish/{room}/{count}", {"first": first})[0] == 200


def got(page):
    return page.evaluate("[got, resyncs]")


def visit(server, page):
    page.goto(f"{server.url}/page")
    page.wait_for_selector("#connection[data-state=live]")


def follow(server, page, room, wait_for):
    visit(server, page)
    page.evaluate(FOLLOW, [room, "room:join"])
    wait_for(lambda: got(page) == [[], 1])


def test_a_cut_connection_costs_nothing_and_doubles_nothing(server, page, wait_for):
    follow(server, page, "browser", wait_for)
    publish(server, "browser", 5, first=0)
    wait_for(lambda: len(got(page)[0]) == 5)
    for cut in range(1, 4):
        page.evaluate(CUT)
        page.wait_for_selector("#connection[data-state=offline]")
        publish(server, "browser", 5, first=cut * 10)
        page.evaluate(RECONNECT)
        publish(server, "browser", 5, first=cut * 10 + 5)
        wait_for(lambda: len(got(page)[0]) >= 5 + cut * 10)  # noqa: B023
    assert got(page) == [[0, 1, 2, 3, 4, *range(10, 40)], 1]
    assert page.errors == []


def test_an_answer_without_a_body_is_null(server, page):
    page.route("**/api/no-body", lambda route: route.fulfill(status=204))
    page.route("**/api/no-json", lambda route: route.fulfill(status=200, body="<p>"))
    page.goto(f"{server.url}/page")
    assert page.evaluate("Live.api('/api/no-body', { method: 'DELETE' })") is None
    assert "could not be read" in page.evaluate("Live.api('/api/no-json').catch((error) => error.message)")


def test_what_comes_twice_is_dropped(server, page, wait_for):
    follow(server, page, "twice", wait_for)
    publish(server, "twice", 3, first=0)
    wait_for(lambda: len(got(page)[0]) == 3)
    again = """() => new Promise((done) => {
      const after = { ...Live.rooms.rooms.get("twice").position, seq: 0 };
      Live.rooms.socket.emit("room:join", { name: "twice", after }, done);
    })"""
    assert page.evaluate(again)["stream"]["recovered"] is True
    assert got(page) == [[0, 1, 2], 1]


def test_a_restarted_server_makes_the_page_fetch_the_state(restarted, page, wait_for):
    server = restarted
    follow(server, page, "page", wait_for)
    publish(server, "page", 3, first=0)
    wait_for(lambda: len(got(page)[0]) == 3)
    server.stop()
    page.wait_for_selector("#connection[data-state=offline]")
    server.start()
    server.wait_ready()
    wait_for(lambda: got(page) == [[0, 1, 2], 2])
    publish(server, "page", 2, first=3)
    wait_for(lambda: got(page) == [[0, 1, 2, 3, 4], 2])


def test_more_than_the_log_holds_makes_the_page_fetch_the_state(small, page, wait_for):
    server = small
    follow(server, page, "long", wait_for)
    page.evaluate(CUT)
    page.wait_for_selector("#connection[data-state=offline]")
    publish(server, "long", 6, first=0)
    page.evaluate(RECONNECT)
    wait_for(lambda: got(page) == [[], 2])
    publish(server, "long", 2, first=6)
    wait_for(lambda: got(page) == [[6, 7], 2])


def test_a_join_that_fails_after_an_event_makes_the_page_fetch_the_state(server, page, wait_for):
    visit(server, page)
    page.evaluate(FOLLOW, ["shaky", "room:shaky"])
    wait_for(lambda: got(page) == [[0], 1])
    publish(server, "shaky", 1, first=1)
    wait_for(lambda: got(page) == [[0, 1], 1])


def test_a_join_that_fails_in_a_new_epoch_makes_the_page_fetch_the_state(restarted, page, wait_for):
    follow(restarted, page, "new-epoch", wait_for)
    restarted.stop()
    page.wait_for_selector("#connection[data-state=offline]")
    page.evaluate("Live.rooms.rooms.get('new-epoch').event = 'room:shaky'")
    restarted.start()
    restarted.wait_ready()
    wait_for(lambda: got(page) == [[0], 2])

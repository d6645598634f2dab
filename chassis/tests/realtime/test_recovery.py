"""A client that comes back gets what it missed, in order and once, or is told to fetch the state."""

import threading

import pytest


def publish(server, room, count, first=0):
    assert server.post(f"/publish/{room}/{count}", {"first": first})[0] == 200


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_what_was_missed_comes_in_order_and_once(server, connect, wait_for, transport):
    room = f"missed-{transport}"
    one = connect(server, transports=[transport])
    stream = one.join(room)["stream"]
    assert (stream["room"], stream["seq"], stream["recovered"]) == (room, 0, False)
    publish(server, room, 3)
    wait_for(lambda: one.news() == [0, 1, 2])
    assert one.position == {"epoch": stream["epoch"], "seq": 3}
    one.cut()
    publish(server, room, 4, first=3)
    publish(server, "elsewhere", 2)
    again = connect(server, transports=[transport])
    answer = again.join(room, after=one.position)["stream"]
    assert (answer["seq"], answer["recovered"]) == (7, True)
    publish(server, room, 1, first=7)
    wait_for(lambda: len(again.received) >= 5)
    assert again.news() == [3, 4, 5, 6, 7]
    assert [data["stream"]["seq"] for _, data in again.received] == [4, 5, 6, 7, 8]


def test_who_missed_nothing_gets_nothing(server, connect):
    one = connect(server)
    one.join("quiet")
    publish(server, "quiet", 1)
    here = one.join("quiet")["stream"]
    again = connect(server)
    assert again.join("quiet", after={"epoch": here["epoch"], "seq": here["seq"]})["stream"]["recovered"] is True
    assert again.received == []


def test_a_number_that_cannot_be_is_told_to_fetch_the_state(small, connect):
    one = connect(small)
    epoch = one.join("a")["stream"]["epoch"]
    publish(small, "a", 10)
    for seq, recovered in [(4, False), (5, True), (10, True), (11, False), (10**30, False)]:
        again = connect(small)
        assert again.join("a", after={"epoch": epoch, "seq": seq})["stream"]["recovered"] is recovered, seq
        assert again.news() == (list(range(seq, 10)) if recovered else [])
    assert connect(small).join("a", after={"epoch": "another", "seq": 10})["stream"]["recovered"] is False
    for nonsense in ("x", {"epoch": epoch}, {"epoch": epoch, "seq": -1}, {"epoch": "e" * 100, "seq": 1}):
        assert one.call("room:join", {"name": "a", "after": nonsense})["error"]["code"] == "invalid_message"


def test_what_is_too_old_is_no_longer_there(strict, connect, wait_for):
    one = connect(strict)
    one.join("a")
    publish(strict, "a", 1)
    before = wait_for(lambda: one.position)
    publish(strict, "a", 1)
    wait_for(lambda: connect(strict).join("a", after=before)["stream"]["recovered"] is False)


def test_after_a_restart_the_state_has_to_be_fetched(restarted, connect, wait_for):
    one = connect(restarted)
    one.join("restart")
    publish(restarted, "restart", 2)
    wait_for(lambda: one.position)
    restarted.stop()
    restarted.start()
    restarted.wait_ready()
    publish(restarted, "restart", 5)
    again = connect(restarted)
    assert again.join("restart", after=one.position)["stream"]["recovered"] is False
    assert again.received == []


def test_a_replay_that_would_fill_the_send_buffer_is_refused(restarted, connect):
    one = connect(restarted)
    epoch = one.join("full")["stream"]["epoch"]
    publish(restarted, "full", 11)
    assert connect(restarted).join("full", after={"epoch": epoch, "seq": 0})["stream"]["recovered"] is False
    assert connect(restarted).join("full", after={"epoch": epoch, "seq": 1})["stream"]["recovered"] is True


def test_clients_that_come_and_go_while_threads_publish_miss_nothing_and_see_nothing_twice(
    remembering, connect, wait_for
):
    server = remembering
    one = connect(server, transports=["websocket"])
    one.join("stream")
    result = []
    publishing = threading.Thread(target=lambda: result.append(server.post("/stream/stream/4/2.5")))
    publishing.start()
    received, lives = [], 0
    while publishing.is_alive():
        wait_for(lambda: one.received or not publishing.is_alive())  # noqa: B023
        one.cut()
        received += one.received
        position, lives = one.position, lives + 1
        one = connect(server, transports=["websocket"])
        assert one.join("stream", after=position)["stream"]["recovered"] is True
        one.position = one.position or position
    sent = sum(result[0][1])
    wait_for(lambda: len(received) + len(one.received) >= sent)
    news = [data for _, data in received + one.received]
    assert [data["stream"]["seq"] for data in news] == list(range(1, sent + 1))
    assert lives > 3
    for who in range(4):
        assert [data["n"] for data in news if data["who"] == who] == list(range(result[0][1][who]))


def test_a_room_of_another_namespace_is_no_numbered_room(server, connect):
    one = connect(server, namespaces=["/other"])
    assert one.call("join", {"name": "a"}, namespace="/other")["error"]["code"] == "internal_error"


def test_who_is_in_too_many_rooms_is_told_so(strict, connect):
    one = connect(strict)
    answers = [one.join(room) for room in ("a", "b", "c", "a")]
    limited = strict.env["SOCKET_TRANSPORT"] == "fast"
    assert [answer["ok"] for answer in answers] == [True, True, not limited, True]
    if limited:
        assert answers[2]["error"]["code"] == "too_many_rooms"

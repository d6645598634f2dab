"""Who sends slowly is cut, who sends slowly but steadily is not, and neither keeps others out."""

import threading
import time

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import LIMIT_SECONDS, let_pass, wait_until
from chassis.tests.security.conftest import connect, rest, statuses

pytestmark = pytest.mark.skipif(ASYNC_MODE == "threading", reason="the time limits are those of our own worker")
BODY_SECONDS = 2
SLOW_LORIS = 500
HALF_A_HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: "
WHOLE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /api/bodies HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def module_settings():
    return {
        "HTTP_HEADER_SECONDS": "1",
        "HTTP_BODY_SECONDS": str(BODY_SECONDS),
        "GUNICORN_WORKER_CONNECTIONS": str(SLOW_LORIS - 200),
    }


def trickle(connection):
    """Send a byte again and again, until the server has had enough."""

    def cut():
        try:
            connection.sendall(b"a")
        except OSError:
            return True

    wait_until(cut, "the server still takes more")


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["first", "kept"])
@pytest.mark.parametrize("sent", [b"G", HALF_A_HEAD], ids=["a letter", "half a head"])
def test_a_head_that_stays_unfinished_is_answered_408(site, before, sent):
    connection = connect(site)
    connection.sendall(before + sent)
    assert statuses(rest(connection)) == ([200] if before else []) + [408]


def test_who_says_nothing_is_told_nothing(site):
    assert rest(connect(site)) == b""


def test_a_head_that_trickles_is_cut(site):
    connection = connect(site)
    connection.sendall(HALF_A_HEAD)
    trickle(connection)


def test_a_body_that_stops_is_answered_408_in_words(site):
    connection = connect(site)
    connection.sendall(POST % 1_000 + b'{"rows":')
    received = rest(connection)
    assert statuses(received) == [408]
    assert b'"request_timeout"' in received
    assert b"Connection: close" in received


def test_a_body_that_trickles_is_cut(site):
    connection = connect(site)
    connection.sendall(POST % 1_000 + b'{"rows":')
    trickle(connection)


def test_a_body_that_comes_slowly_but_steadily_is_taken(site):
    connection = connect(site)
    body = b'{"prompt":"{a}","rows":[{"a":"1"}]}'.ljust(60_000)
    connection.sendall(POST % len(body))
    began = time.monotonic()
    for start in range(0, len(body), 2_000):
        connection.sendall(body[start : start + 2_000])
        let_pass(0.1)
    assert time.monotonic() - began > BODY_SECONDS
    connection.shutdown(1)
    assert statuses(rest(connection)) == [202]


def test_a_session_of_long_polls_waits_longer_than_any_of_that(site):
    connection = connect(site)
    opened = site.get("/socket.io/?EIO=4&transport=polling")[1]
    sid = opened.partition('"sid":"')[2].partition('"')[0]
    connection.sendall(b"GET /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n" % sid.encode())
    for _ in range(2):
        later = connect(site)
        later.sendall(POST % 1_000 + b'{"rows":')
        assert statuses(rest(later)) == [408]
    connection.setblocking(False)
    with pytest.raises(BlockingIOError):
        connection.recv(1)


def test_five_hundred_slow_loris_do_not_keep_others_out(site):
    """There are more of them than the worker takes connections."""
    pids, ended = site.workers(), threading.Event()
    slow = [connect(site) for _ in range(SLOW_LORIS)]
    for connection in slow:
        connection.sendall(HALF_A_HEAD)
        connection.setblocking(False)

    def drip():
        while not ended.is_set():
            let_pass(0.2)  # a slow client's pace
            for connection in slow:
                try:
                    connection.send(b"a")
                except OSError:  # it was cut
                    continue

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert [site.get("/livez")[0] for _ in range(5)] == [200] * 5
    finally:
        ended.set()
        dripping.join()
    for connection in slow:
        connection.settimeout(LIMIT_SECONDS)
        assert b"200 OK" not in rest(connection)
        connection.close()
    assert site.workers() == pids

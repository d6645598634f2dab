"""Attacks on a service of two workers: limits count over both, none is killed, and the other clients are served."""

import itertools
import json

import pytest

from chassis.tests.chosen import at_once, line, lines_of_all, only
from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import wait_until
from chassis.tests.security.conftest import BODIES_APP, ask, connect, rest, statuses

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(ASYNC_MODE == "threading", reason="the time limits are those of our own workers"),
]
PLACES, UNJOINED, ROOM, BODY_BYTES, PIECES = 12, 3, 100, 5_000, 100_000
ATTACKERS = 40  # at each worker
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
HEAD = b"POST /api/bodies HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
HALF_A_HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-A: "
HALF_A_BODY = HEAD + b'Content-Length: 1000\r\n\r\n{"rows":'
LARGE = HEAD + b"Content-Length: 15000000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (4 * BODY_BYTES, b"x" * 4 * BODY_BYTES)
LONG = b"GET /api/bodies/long/%d HTTP/1.1\r\nHost: x\r\n\r\n" % PIECES
CUT = "A client did not read its response in time"
addresses = (f"198.51.100.{number}" for number in itertools.count(1))


@pytest.fixture
def pair(shared_with):
    """The service with two workers and little room; a worker that blocks its hub would soon be killed."""
    server = shared_with(
        command=tuple(BODIES_APP),
        GUNICORN_WORKERS="2",
        GUNICORN_TIMEOUT_SECONDS="30",
        GUNICORN_WORKER_CONNECTIONS=str(ROOM),
        HTTP_HEADER_SECONDS="10",  # the connections of one worker wait while those of the other are opened
        HTTP_BODY_SECONDS="2",
        HTTP_ANSWER_SECONDS="2",
        MAX_BODY_BYTES=str(BODY_BYTES),
        MAX_JSON_BYTES=str(BODY_BYTES),
        SOCKET_MAX_CONNECTIONS=str(PLACES),
        SOCKET_MAX_UNJOINED_PER_ADDRESS=str(UNJOINED),
        SOCKET_HANDSHAKE_SECONDS="0",
        TRUSTED_PROXIES="127.0.0.1",
    )
    wait_until(lambda: len(server.workers()) == 2 and server.metric("app_workers") == 2, "there is one worker")
    before = server.workers()
    yield server
    assert server.workers() == before
    assert "WORKER TIMEOUT" not in server.log


def attack(pair, sent):
    """Return connections, as many to each worker, over which something was sent."""
    return [one.sock for one in lines_of_all(pair, 2 * ATTACKERS, sent)]


def assert_served(pair):
    """Both workers answer others meanwhile."""
    for one in lines_of_all(pair, 4):
        assert ask(pair, "/livez", line=one).status == 200


@pytest.mark.parametrize(("sent", "answered"), [(HALF_A_HEAD, [408]), (HALF_A_BODY, [408])], ids=["head", "body"])
def test_who_sends_half_of_it_is_cut_at_both(pair, sent, answered):
    slow = attack(pair, sent)
    assert_served(pair)
    assert [statuses(rest(one)) for one in slow] == [answered] * len(slow)


def test_more_slow_senders_than_both_have_room_for_keep_nobody_out(pair):
    slow = [connect(pair) for _ in range(3 * ROOM)]
    for one in slow:
        one.sendall(HALF_A_HEAD)
    assert [pair.get("/livez")[0] for _ in range(5)] == [200] * 5
    assert b"200 OK" not in b"".join(rest(one) for one in slow)


def test_who_reads_nothing_is_cut_at_both(pair):
    before, stalled = pair.log.count(CUT), attack(pair, LONG)
    assert_served(pair)
    wait_until(lambda: pair.log.count(CUT) >= before + len(stalled), "some are still sent to")
    for one in stalled:
        one.close()


@pytest.mark.parametrize("sent", [LARGE, CHUNKED], ids=["by its length", "in chunks"])
def test_a_large_body_is_refused_at_both(pair, sent):
    senders = attack(pair, sent)
    assert_served(pair)
    assert [statuses(rest(one)) for one in senders] == [[413]] * len(senders)


def test_an_address_has_few_sessions_that_joined_nothing_at_both_together(pair):
    address = next(addresses)
    answers = [ask(pair, HANDSHAKE, line=one, X_Forwarded_For=address).status for one in lines_of_all(pair, 10)]
    assert answers == [200] * UNJOINED + [503] * (10 - UNJOINED)
    other = next(addresses)
    crowd = at_once(lambda one: ask(pair, HANDSHAKE, line=one, X_Forwarded_For=other), lines_of_all(pair, 10))
    assert UNJOINED <= [answer.status for answer in crowd].count(200) <= UNJOINED + 1  # each worker may let one pass


def test_a_crowd_that_joins_nothing_takes_no_place_from_clients_that_all_come_to_one_worker(pair):
    """When the sessions of that worker have all joined, the other one ends some of its own."""
    crowd = lines_of_all(pair, 4 * PLACES)
    assert {ask(pair, HANDSHAKE, line=one, X_Forwarded_For=next(addresses)).status for one in crowd} == {200}
    with only(pair, pair.workers()[0]):
        lines = [line(pair) for _ in range(PLACES)]
    clients = [join(pair, one) for one in lines]
    # Until the other worker has ended its own, it lets a newcomer take the place of one of them.
    wait_until(lambda: ask(pair, HANDSHAKE, X_Forwarded_For=next(addresses)).status == 503, "there is still room")
    for client in clients:
        say(pair, client, b"1")  # it leaves
    wait_until(lambda: ask(pair, HANDSHAKE, X_Forwarded_For=next(addresses)).status == 200, "no place was freed")


def join(pair, one):
    """Return the path of a session that begins over this connection and joins a namespace."""
    opened = ask(pair, HANDSHAKE, line=one, X_Forwarded_For=next(addresses))
    assert opened.status == 200, opened.text
    path = f"{HANDSHAKE}&sid={json.loads(opened.text[1:])['sid']}"
    say(pair, path, b"40")
    assert '40{"sid"' in pair.get(path)[1]
    return path


def say(pair, path, packet):
    assert pair.request("POST", path, packet, {"Content-Type": "text/plain"}) == (200, "ok")

"""A client that does not take its answer is cut, one that takes it slowly is not, and neither keeps others out."""

import threading

import pytest

from chassis.tests.conftest import ASYNC_MODE
from chassis.tests.patience import let_pass, wait_until
from chassis.tests.security.conftest import connect, rest

green = pytest.mark.skipif(ASYNC_MODE == "threading", reason="each connection has a thread")
ANSWER_SECONDS, PIECES, PIECE_BYTES = 2, 2_000, 16_000
GET = b"GET /api/bodies/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CUT = "A client did not read its response in time"


@pytest.fixture
def module_settings():
    return {"HTTP_ANSWER_SECONDS": str(ANSWER_SECONDS)}


def test_who_takes_nothing_is_cut_and_others_are_served_meanwhile(site):
    stalled = [connect(site) for _ in range(20)]
    for connection in stalled:
        connection.sendall(GET % b"long/%d" % PIECES)
    assert [site.get("/livez")[0] for _ in range(5)] == [200] * 5
    wait_until(lambda: site.log.count(CUT) >= len(stalled), "some are still sent to")
    assert all(len(rest(connection)) < PIECES * PIECE_BYTES for connection in stalled)
    assert site.log.count("Traceback") == 0, "a client that was cut is no error of the service"


def test_who_takes_it_slowly_but_steadily_gets_all(site):
    connection, received = connect(site), 0
    connection.sendall(GET % b"long/%d" % PIECES)
    for _ in range(40):  # short pauses, so that a busy machine makes none of them too long
        let_pass(ANSWER_SECONDS / 20)
        for _ in range(10):
            received += len(connection.recv(65_536))
    received += len(rest(connection))
    assert received > PIECES * PIECE_BYTES


@green
def test_others_have_their_turn_between_the_pieces_of_an_answer_that_never_waits(site):
    served, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            served.append(site.get("/livez")[0])

    others = threading.Thread(target=ask)
    connection = connect(site)
    connection.sendall(GET % b"costly/%d" % 200)
    connection.recv(1)
    others.start()
    whole = rest(connection)
    ended.set()
    others.join()
    assert whole.count(b"done ") >= 199
    assert len(served) > 2, "the answer's pieces alone were served"

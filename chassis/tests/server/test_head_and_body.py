"""The head of an answer goes out along with the first of its body, and alone where there is none."""

import socket

import pytest

from chassis.server.tuning import HeadAndBody
from chassis.tests.patience import LIMIT_SECONDS


@pytest.fixture
def ends():
    """A socket to answer on, and the client's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # one recv for each send
    theirs.settimeout(LIMIT_SECONDS)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_the_head_waits_for_the_first_of_the_body_and_the_rest_goes_at_once(ends):
    answer = HeadAndBody(ends[0])
    answer.sendall(b"head ")
    answer.sendall(b"first")
    assert ends[1].recv(100) == b"head first"
    answer.sendall(b"second")
    assert ends[1].recv(100) == b"second"
    answer.flush()
    ends[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        ends[1].recv(100)


def test_a_head_without_a_body_goes_at_the_end(ends):
    answer = HeadAndBody(ends[0])
    answer.sendall(b"head")
    answer.flush()
    assert ends[1].recv(100) == b"head"


def test_everything_else_is_the_sockets(ends):
    assert HeadAndBody(ends[0]).fileno() == ends[0].fileno()


def test_an_answer_without_a_body_arrives(serve):
    assert serve().request("HEAD", "/livez") == (200, "")

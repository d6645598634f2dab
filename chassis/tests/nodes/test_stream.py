"""What a client of the two nodes notes as a fault, and what it does not."""

from collections import Counter

import pytest

from chassis.tests.nodes.stream import Stream


@pytest.fixture
def stream():
    """A client that has joined an empty room."""
    one = Stream(Counter())
    one.joined({"stream": {"epoch": "x", "seq": 0, "recovered": False}, "state": {}})
    return one


def news(n, seq, *, epoch="x", after=None, attempt=1):
    place = {"epoch": epoch, "seq": seq, "after": seq - 1 if after is None else after}
    return "news", {"who": "a", "n": n, "attempt": attempt, "stream": place}


def test_news_in_order_are_no_fault(stream):
    assert [stream.receive(*news(n, n)) for n in (1, 2, 3)] == [False] * 3
    assert (stream.known, stream.faults) == ({"a": 3}, [])


def test_one_that_is_left_out_without_a_word_is_a_hole_until_the_state_is_fetched(stream):
    stream.receive(*news(2, 1))
    assert stream.holes == ["a 2 came after 0"]
    stream.fetched({"a": 2})
    assert stream.holes == []


@pytest.mark.parametrize("again", [news(1, 1), news(1, 2)])
def test_one_that_comes_twice_is_a_fault(stream, again):
    stream.receive(*news(1, 1))
    stream.receive(*again)
    assert len(stream.faults) == 1


def test_what_its_publisher_sends_again_is_no_fault(stream):
    stream.receive(*news(1, 1))
    stream.receive(*news(1, 2, attempt=2))
    assert stream.faults == []


def test_a_gap_in_the_numbers_makes_it_fetch(stream):
    assert stream.receive(*news(3, 3))
    stream.fetched({"a": 3})
    assert (stream.known, stream.faults) == ({"a": 3}, [])


@pytest.mark.parametrize(("recovered", "holes"), [(False, 0), (True, 1)])
def test_another_node_tells_it_to_fetch_or_has_lost_something(stream, recovered, holes):
    stream.joining = True
    stream.receive(*news(2, 1))
    stream.joined({"stream": {"epoch": "x", "seq": 1, "recovered": recovered}, "state": {"a": 2}})
    assert (stream.known, len(stream.holes)) == ({"a": 2}, holes)

"""What a node concludes from the numbers, the farewells and the silence of the others."""

import pytest

from chassis.server.nodes import heard as module
from chassis.server.nodes.heard import DOUBT_SECONDS, FORGET_SECONDS, Heard


class Ear(Heard):
    """Remembers what it asked for and told, on a clock that the test moves."""

    def __init__(self, monkeypatch):
        self.asked, self.late, self.lost, self.silent, self.now = [], [], [], [], 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)
        super().__init__(
            lambda *asking: self.asked.append(asking), self.late.append, self.lost.append, lambda: self.silent.append(1)
        )
        self.judge()

    def let_pass(self, seconds):
        """Let time pass, in which messages of others could arrive."""
        for _ in range(int(seconds)):
            self.now += 1
            self.judge()


@pytest.fixture
def heard(monkeypatch):
    """A node that has the messages of `a` up to number 5."""
    one = Ear(monkeypatch)
    one.reached("a", 5)
    one.resumes("a", 5)
    one.asked.clear()
    return one


def test_what_was_seen_is_not_delivered_again_and_a_gap_is_asked_for(monkeypatch):
    heard = Ear(monkeypatch)
    assert not heard.is_next("a", 7)
    assert heard.asked == [("a", None)]
    heard.resumes("a", 5)
    assert [heard.is_next("a", place) for place in (6, 6, 5, 7, 9)] == [True, False, False, True, False]
    heard.doubt()
    heard.reached("a", 10)
    assert heard.asked[-1] == ("a", 7)
    assert [heard.is_next("a", place) for place in (8, 9, 10, 11)] == [True] * 4
    assert (heard.late, heard.lost) == ([1] * 3, [])
    heard.resumes("a", 20)
    assert heard.lost == [9]


def test_a_node_that_falls_silent_is_told_once(heard):
    heard.let_pass(DOUBT_SECONDS)
    assert heard.silent == []
    heard.let_pass(DOUBT_SECONDS)
    assert heard.silent == [1]


def test_the_workers_of_a_machine_that_fall_silent_together_are_told_once(heard):
    heard.reached("b", 3)
    heard.let_pass(2 * DOUBT_SECONDS)
    assert heard.silent == [1]


def test_a_node_that_comes_back_with_a_gap_and_ends_is_told_again(heard):
    heard.let_pass(2 * DOUBT_SECONDS)
    heard.reached("a", 7)
    assert heard.asked == [("a", 5)]
    heard.let_pass(2 * DOUBT_SECONDS)
    assert heard.silent == [1, 1]


def test_a_node_that_has_said_farewell_is_no_loss(heard):
    heard.leaves("a", 5)
    heard.let_pass(3 * DOUBT_SECONDS)
    assert heard.silent == []


def test_a_farewell_after_messages_that_are_not_here_is_a_loss(heard):
    heard.leaves("a", 6)
    heard.let_pass(3 * DOUBT_SECONDS)
    assert heard.silent == [1]


def test_a_farewell_of_a_node_that_was_never_heard_of_is_no_loss(heard):
    heard.leaves("b", 9)
    heard.reached("a", 5)
    heard.leaves("a", 5)
    heard.let_pass(3 * DOUBT_SECONDS)
    assert heard.silent == []


def test_a_node_that_beats_is_not_silent(heard):
    for _ in range(30):
        heard.let_pass(1)
        heard.reached("a", 5)
    assert (heard.silent, heard.asked) == ([], [])


def test_a_node_that_comes_back_goes_on_where_it_was_and_can_fall_silent_again(heard):
    heard.let_pass(2 * DOUBT_SECONDS)
    assert [heard.is_next("a", place) for place in (5, 6, 7)] == [False, True, True]
    heard.let_pass(2 * DOUBT_SECONDS)
    assert (heard.silent, heard.asked) == ([1, 1], [])


def test_the_silence_of_a_process_that_stood_still_itself_says_nothing(heard):
    heard.now += 5 * DOUBT_SECONDS
    heard.judge()
    heard.let_pass(DOUBT_SECONDS - 1)
    heard.reached("a", 5)
    heard.let_pass(DOUBT_SECONDS - 1)
    assert heard.silent == []


def test_after_an_outage_a_node_has_time_to_be_heard_again(heard):
    heard.now += 5 * DOUBT_SECONDS
    heard.doubt()
    heard.let_pass(DOUBT_SECONDS)
    assert heard.silent == []
    heard.let_pass(2)
    assert heard.silent == [1]


def test_a_node_that_ended_is_forgotten_at_last(heard):
    heard.leaves("a", 5)
    heard.let_pass(FORGET_SECONDS + 2)
    assert not heard.is_next("a", 6)
    assert heard.asked == [("a", None)]

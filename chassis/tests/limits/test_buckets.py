"""Rates, and the buckets of this process by a clock of the test's own."""

import pytest

from chassis.limits import MemoryBuckets, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("600 per minute", Rate(600, 60)),
        ("30/second", Rate(30, 1)),
        ("5 per 10 seconds", Rate(5, 10)),
        (" 1000 Per Day ", Rate(1000, 86_400)),
    ],
)
def test_a_rate_is_read_as_it_is_written(text, rate):
    assert Rate.parse(text) == rate
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize("text", ["", "600", "0 per minute", "-1 per minute", "5 per fortnight", "9" * 20 + " per day"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="not a rate"):
        Rate.parse(text)


@pytest.mark.parametrize(("per_second", "amount"), [(0.5, 1), (2.5, 3), (10, 10)])
def test_a_rate_per_second_keeps_its_pace(per_second, amount):
    rate = Rate.over_time(per_second)
    assert (rate.amount, rate.amount / rate.seconds) == (amount, per_second)


def test_a_rate_per_second_may_have_a_burst_of_its_own():
    assert Rate.over_time(50, 5) == Rate(5, 0.1)
    assert Rate.over_time(0.5, 20) == Rate(20, 40)


def test_whole_seconds_are_told_whole_whatever_the_clock_says(clock):
    buckets, told = MemoryBuckets(clock=clock), set()
    for number in range(5_000):
        clock.now = number / 7
        told.add(buckets.take(str(number), (Rate(4, 3_600),)).full_in_seconds)
    assert told == {900.0}


def test_so_many_at_once_and_then_as_they_come_back(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(3, 30),)
    taken = [buckets.take("a", rates) for _ in range(4)]
    assert [(one.granted, one.remaining) for one in taken] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert taken[3].wait_seconds == pytest.approx(10)
    clock.now += 9.9
    assert not buckets.take("a", rates).granted
    clock.now += 0.2
    assert buckets.take("a", rates).granted
    assert not buckets.take("a", rates).granted
    assert buckets.take("b", rates).granted


def test_over_time_no_more_is_granted_than_the_rate_says(clock):
    buckets, rates, granted = MemoryBuckets(clock=clock), (Rate(10, 10),), 0
    for _ in range(10_000):
        clock.now += 0.01
        granted += buckets.take("a", rates).granted
    assert 109 <= granted <= 110  # a hundred seconds, and what was there at the start


def test_both_rates_count_and_what_one_refuses_costs_nothing_in_the_other(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(5, 60), Rate(2, 1))
    assert [buckets.take("a", rates).granted for _ in range(4)] == [True, True, False, False]
    clock.now += 1
    assert [buckets.take("a", rates).granted for _ in range(3)] == [True, True, False]
    clock.now += 1
    assert [buckets.take("a", rates).granted for _ in range(2)] == [True, False]
    assert buckets.take("a", rates).rate == rates[0]


def test_a_look_takes_nothing(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(1, 60),)
    assert all(buckets.take("a", rates, look=True).granted for _ in range(5))
    assert buckets.take("a", rates).granted
    assert not buckets.take("a", rates, look=True).granted


def test_what_costs_more_takes_more_and_is_refused_whole(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(10, 10),)
    assert buckets.take("a", rates, 7).remaining == 3
    refused = buckets.take("a", rates, 4)
    assert (refused.granted, refused.wait_seconds) == (False, 1)
    assert buckets.take("a", rates, 3).granted


def test_a_caller_that_woke_late_does_not_delay_the_next_one(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(1, 1),)
    assert buckets.take("a", rates).granted
    clock.now += 1.25
    assert buckets.take("a", rates, late_seconds=0.5).granted
    assert buckets.take("a", rates).wait_seconds == 0.75


def test_a_bucket_on_hold_grants_nothing_and_saves_nothing_up(clock):
    buckets, rates = MemoryBuckets(clock=clock), (Rate(5, 5),)
    buckets.hold("a", rates, 60)
    buckets.hold("a", rates, 30)
    assert buckets.take("a", rates).wait_seconds == 60
    clock.now += 60
    assert [buckets.take("a", rates).granted for _ in range(2)] == [True, False]
    clock.now += 5
    assert [buckets.take("a", rates).granted for _ in range(6)] == [True] * 5 + [False]


def test_a_key_whose_rates_change_is_held_to_the_new_ones(clock):
    buckets = MemoryBuckets(clock=clock)
    buckets.take("a", (Rate(1, 60),))
    two = (Rate(5, 60), Rate(1, 1))
    assert [buckets.take("a", two).granted for _ in range(2)] == [True, False]


def test_memory_is_bounded_and_the_idle_leave(clock):
    buckets, rates = MemoryBuckets(max_keys=1000, clock=clock), (Rate(10, 10),)
    for number in range(20_000):
        buckets.take(f"visitor {number}", rates)
        assert len(buckets) <= 1000
    clock.now += 20
    buckets.take("one more", rates)
    assert len(buckets) <= 1000
    for number in range(200):
        buckets.take(f"another {number}", rates)
    assert len(buckets) <= 202  # all others were full again


def test_a_crowd_does_not_make_forgotten_who_took_much(clock):
    buckets, rates = MemoryBuckets(max_keys=1000, clock=clock), (Rate(10, 3600),)
    while buckets.take("greedy", rates).granted:
        pass
    for number in range(5000):
        buckets.take(f"visitor {number}", rates)
    assert not buckets.take("greedy", rates).granted

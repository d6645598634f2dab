"""Buckets in shared memory and in a real Redis answer as those of one process do, and processes share them."""

import pytest

from chassis.limits import MemoryBuckets, Rate
from chassis.limits.limiter import Limiter
from chassis.limits.machine import Machine, Master
from chassis.limits.redis import RedisBuckets

HOURLY = (Rate(4, 14_400), Rate(6, 86_400))  # so slow that the time a test takes gives nothing back


@pytest.fixture(params=["memory", "shared", pytest.param("redis", marks=pytest.mark.server)])
def buckets(request):
    """Buckets in one of the three places."""
    if request.param == "memory":
        return MemoryBuckets()
    if request.param == "shared":
        ticket = Master(100, 2).admit(1)
        assert ticket is not None
        return Machine(ticket).buckets
    return RedisBuckets(request.getfixturevalue("redis_url"))


def test_so_many_are_granted_and_then_none(buckets):
    taken = [buckets.take("a", HOURLY) for _ in range(5)]
    assert [(one.granted, one.remaining) for one in taken] == [(True, 3), (True, 2), (True, 1), (True, 0), (False, 0)]
    assert 3_000 < taken[4].wait_seconds <= 3_600
    assert taken[4].rate == HOURLY[0]
    assert buckets.take("b", HOURLY).granted


def test_a_look_takes_nothing(buckets):
    assert {buckets.take("a", HOURLY, look=True).remaining for _ in range(5)} == {3}
    assert buckets.take("a", HOURLY).remaining == 3


def test_what_costs_more_takes_more_and_is_refused_whole(buckets):
    assert buckets.take("a", HOURLY, 3).remaining == 1
    assert not buckets.take("a", HOURLY, 2).granted
    assert not buckets.take("a", HOURLY, 1.5).granted
    assert buckets.take("a", HOURLY).granted


def test_a_pause_grants_nothing_and_saves_no_tokens_up(buckets):
    buckets.hold("a", HOURLY, 7_200)
    paused = buckets.take("a", HOURLY)
    assert (paused.granted, paused.remaining) == (False, 0)
    assert 7_000 < paused.wait_seconds <= 7_200
    buckets.hold("a", HOURLY, 60)
    assert buckets.take("a", HOURLY).wait_seconds > 7_000


def test_time_that_a_caller_woke_up_late_counts_as_waited(buckets):
    rates = (Rate(1, 3_600),)
    assert buckets.take("a", rates).granted
    assert 3_500 < buckets.take("a", rates, late_seconds=1_800).wait_seconds <= 3_600
    assert buckets.take("b", rates, late_seconds=1_800).full_in_seconds > 3_500


def test_two_limiters_count_together_in_redis(redis_url):
    one, two = Limiter(), Limiter()
    for limiter in (one, two):
        limiter.configure(redis_url)
    assert [limiter.take("a", HOURLY).granted for limiter in (one, two) * 3] == [True] * 4 + [False] * 2


def test_a_limiter_whose_redis_is_away_counts_by_itself():
    limiter = Limiter()
    limiter.configure("redis://127.0.0.1:1/0")
    assert [limiter.take("a", HOURLY).granted for _ in range(5)] == [True] * 4 + [False]

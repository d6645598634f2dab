"""The circuit breaker and the budget of retries."""

import pytest

from chassis.upstream import Breaker, RetryBudget
from chassis.upstream import breaker as module


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests move."""

    class Clock:
        now = 1_000.0

        def time(self):
            return self.now

    monkeypatch.setattr(module, "time", made := Clock())
    return made


def test_it_opens_after_failures_in_a_row_and_tries_one_call_after_the_cooldown(clock):
    breaker = Breaker(2, 10)
    assert [breaker.failed(), breaker.succeeded(), breaker.failed(), breaker.failed()] == [False, False, False, True]
    assert (breaker.state, breaker.allows()) == ("open", False)
    clock.now += 11
    assert (breaker.state, breaker.allows()) == ("half open", True)
    breaker.begin()
    assert not breaker.allows()
    assert breaker.succeeded()
    assert (breaker.state, breaker.allows()) == ("closed", True)


def test_each_failed_trial_doubles_the_cooldown(clock):
    breaker = Breaker(1, 10)
    breaker.failed()
    for seconds in (10, 20, 40):
        assert breaker.open_until - clock.now == seconds
        clock.now = breaker.open_until
        assert breaker.failed()


def test_a_trial_whose_client_has_gone_leaves_the_place_to_another(clock):
    breaker = Breaker(1, 10)
    breaker.failed()
    assert breaker.checked()
    breaker.begin()
    breaker.ended()
    assert breaker.allows()


def test_retries_are_a_share_of_the_calls():
    budget = RetryBudget(0.5)
    assert [budget.take() for _ in range(11)] == [True] * 10 + [False]
    budget.called()
    assert not budget.take()
    budget.called()
    assert budget.take()

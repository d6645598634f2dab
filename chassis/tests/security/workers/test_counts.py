"""Two workers behind one Redis are one service: what the one has counted is so at the other."""

import itertools

import pytest

from chassis.tests.chosen import at_once, lines_of_all, workers_of
from chassis.tests.security.conftest import ask, flask
from chassis.tests.security.workers.conftest import FREE, GUESSES, MANY, QUOTA, RATE
from chassis.tests.security.workers.people import PASSWORD, Browser, account, addresses, key, spread, statuses

pytestmark = pytest.mark.long


def together(pair, attempt):
    """Return what `attempt` gives while Redis answers: where a busy machine lets it wait, each worker counts alone."""
    while True:
        before = pair.log.count('"limits_')
        answers = attempt()
        if pair.log.count('"limits_') == before:
            return answers


def test_an_address_has_one_budget_at_both(pair):
    def attempt():
        address = next(addresses)
        return at_once(lambda line: ask(pair, "/sign-in", line=line, X_Forwarded_For=address), lines_of_all(pair, MANY))

    answers = together(pair, attempt)
    assert statuses(answers) == [200] * RATE + [429] * (MANY - RATE)
    assert len(workers_of(answers)) == 2


def test_a_key_has_one_budget_at_both(pair):
    def attempt():
        shown = key(pair, "busy")
        return at_once(lambda line: ask(pair, "/api/where", line=line, X_API_Key=shown), lines_of_all(pair, MANY))

    answers = together(pair, attempt)
    assert statuses(answers) == [200] * RATE + [429] * (MANY - RATE)
    assert len(workers_of(answers)) == 2


def test_who_guesses_keys_is_slow_at_both(pair):
    def attempt():
        one, number = {"X_Forwarded_For": next(addresses)}, itertools.count()
        return at_once(
            lambda line: ask(pair, "/api/where", line=line, X_API_Key=f"guess {next(number)}", **one),
            lines_of_all(pair, MANY),
        )

    answers = together(pair, attempt)
    assert statuses(answers) == [401] * GUESSES + [429] * (MANY - GUESSES)
    assert len(workers_of(answers)) == 2


def test_of_many_jobs_at_once_only_the_quota_passes(pair):
    shown = key(pair, "eager")
    lines = lines_of_all(pair, MANY)
    answers = at_once(lambda line: ask(pair, "/api/vigils", "POST", line=line, X_API_Key=shown), lines)
    assert statuses(answers) == [200] * QUOTA + [429] * (MANY - QUOTA)
    assert len(workers_of(answers)) == 2


def test_guesses_at_an_account_are_counted_together_and_each_is_one_line_of_the_chain(pair):
    email = account(pair, "locked@example.org")
    browsers = [Browser(pair, next(addresses)) for _ in range(3 * FREE)]
    forms = at_once(lambda one: one.form("/sign-in"), browsers)
    spread(browsers)
    answers = at_once(
        lambda both: both[0].post("/sign-in", both[1], email=email, password="wrong"),
        zip(browsers, forms, strict=True),
    )
    assert statuses(answers).count(401) < FREE + 1
    assert set(statuses(answers)) <= {401, 429}
    assert len(workers_of(answers)) == 2
    refused = at_once(lambda one: one.post("/sign-in", one.form("/sign-in"), email=email, password=PASSWORD), browsers)
    assert statuses(refused) == [429] * len(browsers)
    flask(pair, "audit", "verify")

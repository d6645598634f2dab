"""A call reserves before it starts, is charged what it used, and gives back what it did not."""

from unittest.mock import Mock

import pytest

from chassis.db import clock, db
from chassis.db.faults import too_busy
from chassis.errors import BudgetExceeded, NotFound
from chassis.security import audit, budget_admin, budget_alerts, budgets, keys, ledger, payer, spending
from chassis.security.budgets import Payer, Usage
from chassis.tests.security.budgets.conftest import ADA, BOTH, KEY, MODEL, held, stands


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the time, in seconds since 1970."""
    return lambda seconds: monkeypatch.setattr(clock, "now", lambda: float(seconds))


def test_a_call_holds_its_most_and_is_charged_its_real_cost(budgeted):
    budget_admin.set_limit(ADA, 100)
    call = held(tokens=60)
    assert stands(ADA) == (0, 60, 40)
    with pytest.raises(
        BudgetExceeded, match=r"USD 0\.0001: 0\.00004 is left, and this may cost 0\.000041\."
    ) as refused:
        held(tokens=41)
    assert refused.value.status == 402
    numbers = {name: refused.value.details[name] for name in ("budget", "limit", "spent", "left", "needed")}
    assert numbers == {"budget": "account", "limit": 100, "spent": 0, "left": 40, "needed": 41}
    assert budgets.charge(call, Usage(10, 10)) == 30
    assert stands(ADA) == (30, 0, 70)
    failed = held(tokens=70)
    budgets.release(failed)
    assert stands(ADA) == (30, 0, 70)
    assert stands(KEY) == (30, 0, None), "a key without a budget is counted too"


def test_a_key_must_fit_into_its_own_budget_and_that_of_its_account(budgeted):
    budget_admin.set_limit(ADA, 50)
    budget_admin.set_limit(KEY, 100)
    budgets.charge(held(tokens=30), Usage(30))
    with pytest.raises(BudgetExceeded, match="of this account"):
        held(tokens=30)
    assert stands(KEY) == (30, 0, 70)
    budget_admin.set_limit(KEY, 40)
    with pytest.raises(BudgetExceeded, match="of this key"):
        held(tokens=15)
    assert stands(ADA) == (30, 0, 20), "what the account held was given back"
    held(Payer("", ADA), tokens=15)


def test_what_a_dead_process_held_is_given_back_and_a_late_end_is_still_charged(budgeted, at):
    at(1_800_000_000)
    budget_admin.set_limit(ADA, 100)
    late = held(tokens=100, lease_seconds=60)
    at(1_800_000_059)
    with pytest.raises(BudgetExceeded):
        held(tokens=1)
    at(1_800_000_061)
    assert stands(ADA) == (0, 0, 100)
    budgets.release(held(tokens=100))
    budgets.charge(late, Usage(40))
    assert stands(ADA) == (40, 0, 60)


def test_reservations_that_ended_long_ago_are_deleted(budgeted, at):
    at(1_800_000_000)
    budget_admin.set_limit(ADA, 100)
    held(tokens=100)
    assert db.write(lambda conn: budget_admin.delete_lapsed(conn, 1_800_000_059, 10)) == 0
    assert db.write(lambda conn: budget_admin.delete_lapsed(conn, 1_800_000_061, 10)) == 1
    assert stands(ADA) == (0, 0, 100)


def test_a_charge_that_is_written_twice_counts_once(budgeted):
    budget_admin.set_limit(ADA, 100)
    call = held(tokens=10)
    for _ in range(2):  # as after a connection that broke during the commit
        budgets.charge(call, Usage(10))
    assert stands(ADA) == (10, 0, 90)
    assert [row["calls"] for row in spending.of_month(ADA)] == [1]


@pytest.mark.parametrize(("zone", "renews"), [("UTC", "2026-12-01T00:00:00"), ("Asia/Tokyo", "2026-12-31T15:00:00")])
def test_a_month_ends_in_its_time_zone_and_the_next_begins_with_nothing(budgeted, at, zone, renews):
    budgeted(budget_time_zone=zone, budget_per_account="0.0001", budget_per_key="0")
    at(1_796_079_600)  # 2026-11-30 23:00 UTC
    budgets.charge(held(tokens=100), Usage(100))
    with pytest.raises(BudgetExceeded, match="it is used up") as refused:
        budgets.check(BOTH)
    assert refused.value.details["renews_at"].startswith(renews)
    at(1_796_083_201 if zone == "UTC" else 1_798_729_201)
    budgets.check(BOTH)
    assert stands(ADA) == (0, 0, 100)


def test_a_budget_of_its_own_replaces_the_default_and_0_is_none(budgeted):
    budgeted(budget_per_account="0.0001")
    assert stands(ADA) == (0, 0, 100)
    budget_admin.set_limit(ADA, 0)
    assert stands(ADA) == (0, 0, None)
    held(tokens=1_000)
    budget_admin.set_limit(ADA, None)
    assert stands(ADA) == (0, 0, 100)
    with pytest.raises(NotFound):
        budget_admin.set_limit("key:nothing", 5)


def test_80_and_100_percent_are_reported_once_a_month_each(budgeted, monkeypatch):
    budget_admin.set_limit(ADA, 100)
    told = []
    monkeypatch.setattr(budget_alerts, "_told", {})
    budget_alerts.on_alert("test", lambda conn, alert: told.append((alert.subject, alert.percent)))
    for tokens in (79, 1, 5):
        budgets.charge(held(tokens=tokens), Usage(tokens))
    assert told == [(ADA, 80)]
    for _ in range(2):
        with pytest.raises(BudgetExceeded):  # so little is left that the budget is used up
            held(tokens=16)
    budgets.charge(held(tokens=15), Usage(15))
    assert told == [(ADA, 80), (ADA, 100)]
    targets = [line["target"].partition(" in ")[0] for line in audit.listing() if line["action"] == "budget.alert"]
    assert targets == [f"{ADA}: {percent} % of USD 0.0001" for percent in (100, 80)]
    audit.verify()


def test_usage_is_kept_by_day_key_account_and_model(budgeted, at):
    budgeted(model_prices="acme/large=3/4/5")
    at(1_796_079_600)
    for usage in (Usage(1, 2, 4), Usage(10, 20, 40)):
        budgets.charge(held(), usage)
    budgets.charge(held(Payer("", ADA), model="acme/large"), Usage(1, 1, 1))
    budgets.charge(held(Payer()), Usage(1))
    by_model = {row["model"]: row for row in spending.of_month(ADA)}
    sums = {"calls": 2, "input_tokens": 11, "output_tokens": 22, "index_tokens": 44}
    assert by_model[MODEL]["cost"] == (1 + 4 + 2) + (10 + 40 + 20)
    assert {name: by_model[MODEL][name] for name in sums} == sums
    assert by_model["acme/large"]["cost"] == 3 + 4 + 5
    places = [
        (row["day"], row["key"], row["account"], row["calls"])
        for row in spending.summed(["day", "key", "account"], days=1)
    ]
    assert places == [("2026-11-30", "", "", 1), ("2026-11-30", "", ADA, 1), ("2026-11-30", KEY, ADA, 2)]
    assert db.write(lambda conn: budget_admin.delete_days(conn, 1_796_083_201, 100)) == 5


def test_a_group_adds_up_what_its_calls_used():
    place = {"day": "2026-11-30", "by_key": KEY, "account": ADA, "model": MODEL}
    row = place | dict.fromkeys(("calls", "input_tokens", "output_tokens", "index_tokens", "cost"), 1)
    assert ledger.summed([row, row, row | {"model": "b"}]) == [
        row | {"calls": 2, "input_tokens": 2, "output_tokens": 2, "index_tokens": 2, "cost": 2},
        row | {"model": "b"},
    ]


def test_a_part_of_a_micro_unit_costs_a_whole_one_and_impossible_numbers_are_bounded(budgeted):
    budgeted(price_per_mtok_input="0.15", price_per_mtok_output="0.60")
    assert budgets.charge(held(), Usage(1, 0)) == 1
    assert budgets.charge(held(), Usage(1_000_000, 1_000_000)) == 750_000
    assert budgets.charge(held(), Usage(-5, 10**30)) == 600_000_000


def test_the_payer_of_a_job_is_its_submitter_with_the_key_that_was_used():
    assert payer.of(ADA, KEY) == BOTH
    assert payer.of(KEY) == payer.of(KEY, KEY) == Payer(KEY, "")
    assert payer.of(ADA).subjects == (ADA,)
    assert payer.of("").subjects == ()
    with payer.paying(BOTH):
        assert payer.current() == BOTH
    assert payer.current() == Payer()


def test_a_key_is_made_with_its_budget(budgeted):
    made = keys.id_of(keys.create(keys.NewKey("limited", ("submit",), ADA, monthly_budget=12_500_000)))
    (shown,) = keys.listing()
    assert shown["budget"]["limit"] == shown["budget"]["left"] == 12_500_000
    assert stands(f"key:{made}") == (0, 0, 12_500_000)


def test_a_charge_is_kept_while_the_database_refuses(budgeted, monkeypatch):
    budget_admin.set_limit(ADA, 100)
    call, write = held(tokens=10), db.write
    monkeypatch.setattr(db, "write", Mock(side_effect=too_busy()))
    budgets.charge(call, Usage(10))
    monkeypatch.setattr(db, "write", write)
    assert stands(ADA) == (0, 10, 90)
    budgets.release(held(tokens=1))
    assert stands(ADA) == (10, 0, 90)

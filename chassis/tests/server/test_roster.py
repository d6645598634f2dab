"""New sessions are spread over the workers that serve."""

import pytest

from chassis.server.several import roster
from chassis.server.several.roster import Roster


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("_WORKERS_FOLDER", str(tmp_path))


def test_a_worker_keeps_new_sessions_until_it_has_clearly_more_than_another():
    one, two = Roster(1), Roster(2)
    one.report(0, serves=True)
    two.report(0, serves=True)
    assert [one.choose() for _ in range(8)] == [1, 1, 2, 1, 2, 1, 2, 1]
    one.report(1000, serves=True)
    two.report(950, serves=True)
    assert (one.choose(), two.choose()) == (1, 2)
    two.report(900, serves=True)
    assert (one.choose(), two.choose()) == (2, 2)


def test_a_worker_that_stops_or_is_silent_gets_none(monkeypatch):
    one, two = Roster(1), Roster(2)
    assert one.choose() == 0
    one.report(50, serves=True)
    two.report(0, serves=False)
    assert (one.choose(), two.choose()) == (1, 1)
    monkeypatch.setattr(roster, "PRESENT_SECONDS", -1)
    assert one.choose() == 0


def test_a_worker_that_follows_on_another_has_its_place():
    for number in (3, 3 + roster.ROWS):
        Roster(number).report(number, serves=True)
    assert [row.number for row in Roster(1).present()] == [3 + roster.ROWS]

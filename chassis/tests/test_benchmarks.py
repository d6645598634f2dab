"""What the benchmark makes of its figures."""

import math

import pytest

from benchmarks import jobs, page, report, workers
from benchmarks.measure import Run, of, times_better, typical
from benchmarks.run import LEAST_TIMES, too_slow
from benchmarks.scenarios import scenarios
from benchmarks.servers import TITLES
from benchmarks.workers import SCENARIOS, SIDES, Figures

NO_FAULTS = dict.fromkeys(("failed", "dropped", "wrong", "unanswered"), 0)
BY_NAME = {scenario.name: scenario for scenario in scenarios(1)}


def run(value: float, share: float = 0.5, **faults: int) -> Run:
    return Run(value, NO_FAULTS | faults, share)


def test_the_figure_is_the_median_of_the_runs_in_which_the_client_was_not_the_limit():
    assert typical([run(1), run(5), run(3), run(99, share=0.81)]) == 3


def test_no_figure_is_made_of_void_runs():
    assert math.isnan(typical([run(1, share=0.9)]))
    row = report.table([BY_NAME["echo"]], ("ours",), {"echo": {"ours": [run(1, share=0.9)]}})
    assert "void" in row


def test_less_milliseconds_and_more_events_are_better():
    assert times_better(BY_NAME["p99"], ours=10, peer=30) == 3
    assert times_better(BY_NAME["echo"], ours=30, peer=10) == 3


@pytest.mark.parametrize(("ours", "word"), [(400, "reached"), (390, "**missed**")])
def test_the_table_says_which_aims_are_reached(ours, word):
    runs = {"echo": {"ours": [run(ours)], "stock": [run(100)]}}
    assert f"4 x (a): {word}" in report.table([BY_NAME["echo"]], ("ours", "stock"), runs)


def test_what_went_wrong_for_clients_stands_beside_the_figure():
    runs = {"crowd": {"ours": [run(5, dropped=3)]}}
    assert "5.0 3 dropped" in report.table([BY_NAME["crowd"]], ("ours",), runs)


def test_the_check_fails_below_its_limits_and_without_a_figure():
    least = LEAST_TIMES["echo"]
    assert not too_slow([BY_NAME["echo"]], {"echo": {"ours": [run(least)], "stock": [run(1)]}})
    assert too_slow([BY_NAME["echo"]], {"echo": {"ours": [run(least * 0.99)], "stock": [run(1)]}})
    assert too_slow([BY_NAME["echo"]], {"echo": {"ours": [run(9, share=0.9)], "stock": [run(1)]}})


@pytest.mark.parametrize("name", page.COMMANDS)
def test_the_page_has_a_place_for_the_table(name):
    begin, end = page.marks(name)
    text = page.PAGE.read_text()
    assert text.index(begin) < text.index(end)


def test_a_table_replaces_the_one_before(monkeypatch, tmp_path):
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    begin, end = page.marks("jobs")
    page.PAGE.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    for table in ("| 1 |", "| 2 |"):
        page.put("jobs", table, "Said.")
    assert page.PAGE.read_text() == f"before\n{begin}\n\n| 2 |\n\nSaid.\n\n{end}\nafter\n"


@pytest.mark.parametrize(
    ("sides", "name"), [(("ours", "gevent", "threading"), "modes"), (("ours", "stock"), "servers")]
)
def test_the_modes_have_a_table_of_their_own(monkeypatch, sides, name):
    found = []
    monkeypatch.setattr(page, "put", lambda *told: found.append(told[0]))
    report.write([BY_NAME["echo"]], sides, {"echo": {side: [run(1)] for side in sides}})
    assert found == [name]


def test_threads_are_left_out_where_each_client_would_need_one():
    assert of(BY_NAME["echo"], ("ours", "threading")) == ("ours", "threading")
    assert of(BY_NAME["fanout-2000"], ("ours", "threading")) == ("ours",)


def test_every_peer_has_a_letter_and_every_limit_a_scenario():
    assert set(report.LETTERS) == {side for side, title in TITLES.items() if not title.startswith("this project")}
    assert set(LEAST_TIMES) <= set(BY_NAME)


def test_each_peer_of_jobs_is_queued_and_worked_on_by_its_own_module():
    for side in jobs.sides("postgresql+psycopg://app@host/name"):
        if side.enqueue[0] == jobs.THEIRS:
            name = f"peer_{side.enqueue[-1]}"
            assert (jobs.PEERS / f"{name}.py").exists()
            assert "rq.cli" in side.worker or any(word.startswith(name) for word in side.worker), side.name
        assert "psycopg:" not in side.env.get("DATABASE_URL", "") or side.worker == jobs.WORK
    without = [side.name for side in jobs.sides("")]
    assert "ours, SQLite" in without
    assert not [name for name in without if "PostgreSQL" in name]


def test_the_table_of_workers_has_a_row_for_each_scenario_and_side():
    sides = list(SIDES)
    found = {(title, side, 2): [Figures(number, 1) for number in (1, 5, 3)] for title in SCENARIOS for side in sides}
    _, _, *lines = workers.table(sides, [2], found).splitlines()
    assert len(lines) == len(SCENARIOS) * len(sides)
    assert lines[0].endswith("| 3.0 (1) |")
    assert lines[-1].endswith("| 3 (1.00) |")

"""No request or event costs more than chassis/docs/security.md promises, whatever it contains."""

import itertools

import pytest
from pydantic import SecretStr

from app import create_app
from chassis.extensions import socketio
from chassis.settings import Settings
from chassis.tests.conftest import ASYNC_MODE, same_in_every_mode
from chassis.tests.security.attack.ceiling import events, sweep, table, wire
from chassis.tests.security.attack.ceiling.asked import Asked
from chassis.tests.security.attack.ceiling.discovery import of_features, rows
from chassis.tests.security.attack.ceiling.limits import CPU_MS, HOLD_MS, KEY, STRANGER
from chassis.tests.security.attack.ceiling.measured import SETTINGS, framed, inside, over, sent
from chassis.tests.security.attack.ceiling.process import Cost
from chassis.tests.security.attack.ceiling.visitor import Visitor

ROWS = "^[A-Z]+ /" if ASYNC_MODE == "threading" else ""  # the libraries' transport answers no wrong packet
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The worst of each route and event, out of a few tries of each kind."""
    return inside(tmp_path_factory.mktemp("ceiling"), ASYNC_MODE, few=True, only=ROWS)


@pytest.fixture
def worker(shared_with):
    """The worker of a real server."""
    server = shared_with(**SETTINGS)
    return wire.Worker(server.workers()[0], server.port)


def test_no_route_and_no_event_costs_more_than_the_ceiling(measured):
    assert len({row["row"] for row in measured}) > 10
    assert over(measured) == []


def test_the_worst_request_of_each_route_costs_a_worker_no_more(measured, worker):
    strangers = [row for row in measured if row["who"] == STRANGER and not row["row"].startswith("socket")]
    assert over([sent(worker, row) for row in strangers]) == []


def test_what_surrounds_a_request_costs_a_worker_no_more(worker):
    assert over(framed(worker, wire.everything())) == []


def test_every_route_and_event_of_the_chassis_has_its_row(tmp_path):
    app = create_app(Settings(app_env="test", database_url=SecretStr(f"sqlite:///{tmp_path}/app.db")))
    known = {*rows(app), *(f"socket event {name}" for name in events.events(socketio.server))} - of_features(app)
    assert known - table.named() == set(), "run: python -m chassis.tests.security.attack.ceiling --write"


@same_in_every_mode
def test_a_new_route_and_a_new_event_that_cost_too_much_are_found(tmp_path):
    found = inside(
        tmp_path, ASYNC_MODE, few=True, only="quadratic", CEILING_MORE="chassis.tests.security.attack.ceiling_app"
    )
    slow = {row["row"]: row["input"] for row in found if row["who"] == STRANGER and row["ms"] > CPU_MS}
    assert slow["POST /api/quadratic/<word>"].startswith("title of")
    slow = {row["row"]: row["input"] for row in found if row["who"] == KEY and row["ms"] > HOLD_MS}
    assert slow["socket event quadratic"].startswith("text of")


@same_in_every_mode
@pytest.mark.parametrize(("busy", "ms"), [(sweep.REPEATS + 1, 1.0), (1_000, CPU_MS + 1)])
def test_a_row_that_costs_too_much_in_each_round_is_a_breach_and_in_one_alone_is_not(tmp_path, monkeypatch, busy, ms):
    spent = itertools.chain([CPU_MS + 1] * busy, itertools.repeat(1.0))
    monkeypatch.setattr(sweep, "cost", lambda _work: Cost(next(spent), 0.0))
    monkeypatch.setattr(sweep, "slowness", lambda: 1.0)
    app = create_app(Settings(app_env="test", database_url=SecretStr(f"sqlite:///{tmp_path}/app.db")))
    visitor = Visitor(app, Asked(), key="", few=True)
    assert sweep.Sweep(visitor, "^GET /livez$").run()["GET /livez"].ms == ms


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_all_that_is_known_to_be_bad_costs_no_more_than_the_ceiling(tmp_path):
    assert over(inside(tmp_path, ASYNC_MODE, few=False, only=ROWS)) == []

"""The figures at a glance: rates and latencies as Prometheus would give them, and an hour of them, bounded."""

import pytest

from chassis.observability import figures, history
from chassis.observability.figures import Meter, quantile
from chassis.observability.history import History
from chassis.observability.metrics import HTTP_LATENCY, SOCKET_CONNECTIONS, SOCKET_EVENTS, UPSTREAM_CALLS

INF = float("inf")


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [1_000.0]
    monkeypatch.setattr(figures.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("share", "buckets", "expected"),
    [
        (0.5, {}, None),
        (0.5, {0.1: 0, INF: 0}, None),
        (0.5, {0.1: 10, 0.2: 10, INF: 10}, 0.05),
        (0.95, {0.1: 90, 0.2: 100, INF: 100}, 0.15),
        (0.95, {0.1: 0, 0.2: 10, INF: 10}, 0.195),
        (0.99, {0.1: 1, INF: 10}, 0.1),  # all that is known of the last ones is that they took longer
    ],
)
def test_quantiles_are_estimated_as_prometheus_does(share, buckets, expected):
    assert quantile(share, buckets) == (expected if expected is None else pytest.approx(expected))


def test_rates_and_latencies_are_those_of_the_last_seconds(clock):
    SOCKET_EVENTS.labels("before", "ok").inc(1_000)
    HTTP_LATENCY.labels("before").observe(9)
    before = figures.value(SOCKET_CONNECTIONS)
    meter = Meter()
    for second in range(1, 11):
        clock[0] += 1
        SOCKET_EVENTS.labels("test", "ok").inc(30 if second > 5 else 2)
        HTTP_LATENCY.labels("test").observe(0.0007 if second > 5 else 5)
        UPSTREAM_CALLS.labels("ok").inc(3)
        UPSTREAM_CALLS.labels("timeout").inc()
        SOCKET_CONNECTIONS.inc()
        found = meter.read()
    SOCKET_CONNECTIONS.dec(10)
    assert found["events_per_second"] == 30
    assert found["request_p95_seconds"] < 0.001
    assert (found["upstream_calls_per_second"], found["upstream_errors_per_second"]) == (4, 1)
    assert found["connections"] == before + 10
    assert found["event_p95_seconds"] is None
    assert found["memory_bytes"] is None or found["memory_bytes"] > 1e6


def test_who_asks_often_gets_the_same_and_the_database_is_left_alone(clock):
    asked = []
    meter = Meter(lambda: asked.append(clock[0]) or {"jobs_queued": len(asked)}, ("jobs_queued",))
    found = [meter.read() for _ in range(50)]
    assert all(one is found[0] for one in found)
    for _ in range(60):
        clock[0] += 1
        meter.read()
    assert len(asked) <= 31
    assert len(meter._readings) <= 7


def test_a_slow_database_is_asked_for_a_small_part_of_the_time(clock):
    asked = []

    def slow():
        asked.append(clock[0])
        clock[0] += 2
        return {}

    meter = Meter(slow)
    for _ in range(200):
        clock[0] += 1
        meter.read()
    assert len(asked) <= 3


def test_a_database_that_fails_costs_its_own_figures_alone(clock):
    def fail():
        raise RuntimeError("away")

    found = Meter(fail, ("jobs_queued",)).read()
    assert found["jobs_queued"] is None
    assert found["requests_per_second"] is not None


def test_an_hour_is_kept_and_no_more(clock, monkeypatch):
    monkeypatch.setattr(history, "KEPT", 30)
    kept = History(lambda: {"jobs_queued": 1.0}, ("jobs_queued",))
    for _ in range(40):
        clock[0] += 5
        kept.tick()
    series = kept.series()
    assert set(series) == set(kept.present())
    assert {len(values) for values in series.values()} == {30}
    assert series["jobs_queued"] == [1.0] * 30

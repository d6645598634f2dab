"""Gauges that are asked for at each scrape."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from chassis.observability import collectors
from chassis.observability.collectors import AskedCollector, install


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(collectors, "_installed", [])
    return CollectorRegistry()


def gauge(source, name="queue_jobs"):
    return (name, "Jobs.", ["kind"], source)


def test_a_source_is_asked_at_each_scrape_and_not_before(registry):
    asked = []
    install(AskedCollector(lambda: None, [gauge(lambda _: asked.append(1) or [(["mail"], len(asked))])]), registry)
    assert asked == []
    assert b'queue_jobs{kind="mail"} 1.0' in generate_latest(registry)
    assert b'queue_jobs{kind="mail"} 2.0' in generate_latest(registry)


def test_a_failing_source_costs_its_own_gauge_only(registry):
    def fails(_known):
        raise OSError("no database")

    install(AskedCollector(lambda: None, [gauge(fails, "bad"), gauge(lambda _: [(["mail"], 1)], "good")]), registry)
    text = generate_latest(registry).decode()
    assert 'good{kind="mail"} 1.0' in text
    assert "bad" not in text


def test_installing_again_replaces_the_earlier_one(registry):
    install(AskedCollector(lambda: None, [gauge(lambda _: [(["old"], 1)])]), registry)
    install(AskedCollector(lambda: None, [gauge(lambda _: [(["new"], 2)])]), registry)
    text = generate_latest(registry).decode()
    assert 'kind="new"' in text
    assert 'kind="old"' not in text


def test_gauges_that_are_known_at_the_scrape_alone_are_asked_too(registry):
    more = []
    install(AskedCollector(lambda: 5, [], lambda: more), registry)
    more.append(gauge(lambda known: [(["new"], known)]))
    assert b'queue_jobs{kind="new"} 5.0' in generate_latest(registry)
    more.clear()
    assert b"queue_jobs" not in generate_latest(registry)

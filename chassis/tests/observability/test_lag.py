"""The monitor of the loop's lag."""

import threading
from collections import Counter

from prometheus_client import REGISTRY

from chassis.observability import lag
from chassis.observability.lag import LagMonitor
from chassis.tests.patience import LIMIT_SECONDS


def observed() -> float:
    return REGISTRY.get_sample_value("app_hub_lag_seconds_count") or 0


class ByThread(Counter):
    """Counts what is observed by the thread that does."""

    def observe(self, seconds: float) -> None:
        self[threading.current_thread()] += 1


def test_lag_is_observed_until_the_monitor_stops(wait_for, monkeypatch):
    monitor, before = LagMonitor(), observed()
    monitor.start()
    wait_for(lambda: observed() >= before + 2)
    assert 0 <= monitor.last <= monitor.maximum
    monitor.stop()
    monitor._thread.join(LIMIT_SECONDS)
    later, found = LagMonitor(), ByThread()
    monkeypatch.setattr(lag, "HUB_LAG", found)
    later.start()
    wait_for(lambda: found[later._thread] >= 3)
    later.stop()
    later._thread.join(LIMIT_SECONDS)
    assert found.keys() == {later._thread}


def test_a_blocked_hub_shows(written):
    (line,) = written("""
import eventlet
eventlet.monkey_patch()
from chassis.observability.lag import LagMonitor
from chassis.tests.patience import wait_until
monitor = LagMonitor()
monitor.start()
wait_until(lambda: monitor.last)
eventlet.patcher.original("time").sleep(0.4)
wait_until(lambda: monitor.maximum > 0.25)
monitor.stop()
print(monitor.maximum)
""")
    assert float(line) > 0.25

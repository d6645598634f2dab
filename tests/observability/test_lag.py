"""The monitor of the loop's lag."""

import time

from prometheus_client import REGISTRY

from app.observability.lag import LagMonitor


def observed() -> float:
    return REGISTRY.get_sample_value("app_hub_lag_seconds_count") or 0


def test_lag_is_observed_until_the_monitor_stops(wait_for):
    monitor, before = LagMonitor(), observed()
    monitor.start()
    wait_for(lambda: observed() >= before + 2)
    assert 0 <= monitor.last <= monitor.maximum
    monitor.stop()
    monitor._thread.join(20)
    ended = observed()
    time.sleep(0.25)
    assert observed() == ended


def test_a_blocked_hub_shows(written):
    (line,) = written("""
import eventlet
eventlet.monkey_patch()
import time
from app.observability.lag import LagMonitor
monitor = LagMonitor()
monitor.start()
time.sleep(0.25)
eventlet.patcher.original("time").sleep(0.4)
time.sleep(0.15)
monitor.stop()
print(monitor.maximum)
""")
    assert float(line) > 0.25

"""This process's key figures: its own metrics as rates and latencies over the last seconds."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.observability.metrics import (
    HTTP_LATENCY,
    HTTP_REQUESTS,
    HUB_LAG,
    SOCKET_CONNECTIONS,
    SOCKET_EVENTS,
    SOCKET_LATENCY,
    UPSTREAM_CALLS,
    UPSTREAM_IN_FLIGHT,
    UPSTREAM_LATENCY,
    UPSTREAM_RATE_LIMITED,
)
from chassis.server.patches import for_prometheus

Figures = dict[str, float | None]
Asked = Callable[[], Mapping[str, float]]
WINDOW_SECONDS = 5.0
AGAIN_SECONDS = 0.9  # a reading this recent is reused
ASK_SECONDS = 2.0  # the database is queried at most this often
ASK_SHARE = 50  # and for at most a fiftieth of the time
GAUGES = {"connections": SOCKET_CONNECTIONS, "upstream_in_flight": UPSTREAM_IN_FLIGHT}
COUNTERS = {
    "events_per_second": SOCKET_EVENTS,
    "requests_per_second": HTTP_REQUESTS,
    "upstream_calls_per_second": UPSTREAM_CALLS,
    "upstream_rate_limited_per_second": UPSTREAM_RATE_LIMITED,
}
UPSTREAM_ERRORS, NO_ERRORS = "upstream_errors_per_second", ("ok", "cancelled")
QUANTILES = {
    "request_p50_seconds": (HTTP_LATENCY, 0.5),
    "request_p95_seconds": (HTTP_LATENCY, 0.95),
    "event_p95_seconds": (SOCKET_LATENCY, 0.95),
    "upstream_p95_seconds": (UPSTREAM_LATENCY, 0.95),
    "hub_lag_seconds": (HUB_LAG, 0.99),  # about 50 observations in five seconds, so this is the highest
}
NAMES = (*GAUGES, *COUNTERS, UPSTREAM_ERRORS, *QUANTILES, "memory_bytes")
Buckets = dict[float, float]


@dataclass(frozen=True)
class Reading:
    """The metrics at one moment: counters by figure, and each histogram's cumulative buckets."""

    at: float
    counts: dict[str, float]
    buckets: dict[Any, Buckets]


class Meter:
    """Reads the figures; safe to call often and from several threads, which share one reading a second.

    `asked` returns the database's figures, named in `names`; they are None when it fails.
    """

    def __init__(self, asked: Asked = dict, names: Iterable[str] = ()) -> None:
        self.names = (*NAMES, *names)
        self._asked, self._answer, self._ask_at = asked, {}, 0.0  # type: ignore[var-annotated]
        self._lock = threading.Lock()
        self._readings = deque([reading()])
        self._last: Figures = {}

    def read(self) -> Figures:
        """Return the figures of the last five seconds by name, and `at`, in seconds since 1970."""
        with self._lock:
            if not self._last or time.monotonic() - self._readings[-1].at > AGAIN_SECONDS:
                self._last = self._read()
            return self._last

    def _read(self) -> Figures:
        now, readings = reading(), self._readings
        while len(readings) > 1 and readings[1].at <= now.at - WINDOW_SECONDS:
            readings.popleft()
        found: Figures = {name: value(gauge) for name, gauge in GAUGES.items()}
        found |= _changes(readings[0], now) | {"memory_bytes": resident_bytes()}
        readings.append(now)
        found |= self._ask()
        return {"at": round(time.time(), 1)} | {name: _short(found.get(name)) for name in self.names}

    def _ask(self) -> Mapping[str, float]:
        started = time.monotonic()
        if started >= self._ask_at:
            try:
                self._answer = dict(self._asked())
            except Exception:
                self._answer = {}  # readiness reports the reason
            seconds = time.monotonic() - started
            self._ask_at = started + max(ASK_SECONDS, ASK_SHARE * seconds)
        return self._answer


def reading() -> Reading:
    """Read the counters and histograms."""
    counts = {name: value(counter) for name, counter in COUNTERS.items()}
    counts[UPSTREAM_ERRORS] = value(UPSTREAM_CALLS, lambda labels: labels[0] not in NO_ERRORS)
    histograms = {histogram for histogram, _ in QUANTILES.values()}
    return Reading(time.monotonic(), counts, {one: for_prometheus.buckets(one) for one in histograms})


def value(metric: Any, counted: Callable[[tuple[str, ...]], bool] = lambda _: True) -> float:
    """Return the sum of a counter's or gauge's values in this process, over the labels that `counted` accepts."""
    return for_prometheus.value(metric, counted)


def resident_bytes() -> float | None:
    """Return this process's resident memory in bytes, or None where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def quantile(share: float, buckets: Buckets) -> float | None:
    """Return a quantile of the observations, estimated as by Prometheus' `histogram_quantile`; None without any."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if not total:
        return None
    below = lower = 0.0
    for bound in bounds:
        if buckets[bound] >= share * total and buckets[bound] > below:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (share * total - below) / (buckets[bound] - below)
        below, lower = buckets[bound], bound
    return None


def _changes(before: Reading, now: Reading) -> Figures:
    seconds = max(now.at - before.at, 1e-3)
    found: Figures = {name: (count - before.counts[name]) / seconds for name, count in now.counts.items()}
    for name, (histogram, share) in QUANTILES.items():
        earlier = before.buckets[histogram]
        new = {bound: count - earlier.get(bound, 0) for bound, count in now.buckets[histogram].items()}
        found[name] = quantile(share, new)
    return found


def _short(number: float | None) -> float | None:
    """Return the number rounded to four significant digits."""
    return None if number is None else float(f"{number:.4g}")

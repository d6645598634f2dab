"""Patches of prometheus_client: counting under real locks, and reading values without its collectors.

Collectors create an object for each value, which takes eight times as long and blocks the hub. Tested with the version
of prometheus-client in guard.TESTED.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any

import prometheus_client

from chassis.base.concurrency import original
from chassis.server.patches import guard

LOSS = "The console's figures take longer to read."
PARTS = {"counter": ("_value", "_labelnames"), "histogram": ("_buckets", "_upper_bounds"), "labelled": ("_metrics",)}
LOCKS = ("prometheus_client.metrics:Lock", "prometheus_client.values:Lock")
GREEN = "Metrics are counted under green locks, which is slower, and real threads may not count."
Labels = tuple[str, ...]


def use_real_locks() -> None:
    """Make metrics that are created from now on use Python's own locks.

    A count is an addition, during which no green thread yields, so a real lock is safe. It takes a tenth of the time of
    a green lock, which real threads must not use anyway.
    """
    if guard.fits("prometheus-client", GREEN, *LOCKS):
        from prometheus_client import metrics, values

        vars(metrics)["Lock"] = vars(values)["Lock"] = original("threading", "Lock")


def value(metric: Any, counted: Callable[[Labels], bool]) -> float:
    """Return the sum of a counter's or gauge's values in this process for the labels that `counted` accepts."""
    if fits():
        return float(sum(child._value.get() for labels, child in _children(metric) if counted(labels)))
    found = (sample for sample in _samples(metric) if not sample.name.endswith("_created"))
    return float(sum(sample.value for sample in found if counted(tuple(sample.labels.values()))))


def buckets(histogram: Any) -> dict[float, float]:
    """Return a histogram's cumulative buckets, summed over all of its labels."""
    if not fits():
        counted: Counter[float] = Counter()
        for sample in _samples(histogram):
            if sample.name.endswith("_bucket"):
                counted[float(sample.labels["le"])] += sample.value
        return dict(counted)
    children = [child for _, child in _children(histogram)]
    if not children:
        return {}
    counts = (sum(one.get() for one in same) for same in zip(*(child._buckets for child in children), strict=True))
    return dict(zip(children[0]._upper_bounds, accumulate(counts), strict=True))


@cache
def fits() -> bool:
    """Return whether metrics have the attributes that this module reads."""
    made = {
        "counter": prometheus_client.Counter("counter", "-", registry=None),
        "histogram": prometheus_client.Histogram("histogram", "-", registry=None),
        "labelled": prometheus_client.Counter("labelled", "-", ["label"], registry=None),
    }
    return all(guard.object_fits("prometheus-client", LOSS, made[name], *parts) for name, parts in PARTS.items())


def _children(metric: Any) -> list[tuple[Labels, Any]]:
    return list(metric._metrics.items()) if metric._labelnames else [((), metric)]


def _samples(metric: Any) -> list[Any]:
    return [sample for family in metric.collect() for sample in family.samples]

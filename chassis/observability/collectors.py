"""Metrics that are asked for when they are read: what the database knows."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Samples = Iterable[tuple[list[str], float]]
Source = Callable[[], Samples]


class AskedCollector(Collector):
    """One gauge for each (name, help, labels, source); a source that fails leaves its gauge out."""

    def __init__(self, gauges: list[tuple[str, str, list[str], Source]]) -> None:
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        """Return the names without asking, so that registering does not touch the database."""
        return [GaugeMetricFamily(name, text, labels=labels) for name, text, labels, _ in self._gauges]

    def collect(self) -> Iterator[Metric]:
        """Ask every source."""
        for name, text, labels, source in self._gauges:
            family = GaugeMetricFamily(name, text, labels=labels)
            try:
                samples = list(source())
            except Exception:  # noqa: S112 - /metrics must answer while the database does not; readiness tells why
                continue
            for values, number in samples:
                family.add_metric(values, number)
            yield family


_installed: list[AskedCollector] = []


def install(collector: AskedCollector, registry: CollectorRegistry = REGISTRY) -> None:
    """Register the collector in place of an earlier application's."""
    while _installed:
        registry.unregister(_installed.pop())
    registry.register(collector)
    _installed.append(collector)

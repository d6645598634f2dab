"""Metrics computed when they are scraped, from the database."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chassis.wiring import Gauge

Samples = Iterable[tuple[list[str], float]]
Known = TypeVar("Known")


class AskedCollector(Collector, Generic[Known]):
    """One gauge for each (name, help, labels, source); a source that fails leaves its gauge out.

    Each scrape reads once, and every source is called with what was read, or with None when reading failed. `more()`
    returns gauges that are known only then.
    """

    def __init__(
        self,
        read: Callable[[], Known],
        gauges: list[tuple[str, str, list[str], Callable[[Known], Samples]]],
        more: Callable[[], Sequence[Gauge]] = tuple,
    ) -> None:
        self._read, self._gauges, self._more = read, gauges, more

    def describe(self) -> Iterable[Metric]:
        """Return the names without calling the sources, so that registering does not touch the database."""
        return [GaugeMetricFamily(name, text, labels=labels) for name, text, labels, _ in self._gauges]

    def collect(self) -> Iterator[Metric]:
        """Read, and ask every source."""
        known: Any = self._known()
        for name, text, labels, source in (*self._gauges, *self._more()):
            family = GaugeMetricFamily(name, text, labels=labels)
            try:
                samples = list(source(known))
            except Exception:  # noqa: S112 - the reading failed, or what it found
                continue
            for values, number in samples:
                family.add_metric(values, number)
            yield family

    def _known(self) -> Known | None:
        try:
            return self._read()
        except Exception:  # /metrics must answer while the database does not; readiness tells why
            return None


_installed: list[AskedCollector[Any]] = []


def install(collector: AskedCollector[Any], registry: CollectorRegistry = REGISTRY) -> None:
    """Register the collector in place of an earlier application's."""
    while _installed:
        registry.unregister(_installed.pop())
    registry.register(collector)
    _installed.append(collector)

"""The last hour of this process's figures, for installations without Prometheus."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from chassis.base.ticker import Ticker
from chassis.observability.figures import Asked, Figures, Meter

Taker = Callable[[Mapping[str, float | None]], None]
EVERY_SECONDS = 5.0
KEPT = 720  # an hour


class History(Ticker):
    """Keeps a sample every five seconds; for `asked` and `names` see Meter.

    Each worker keeps its own history: its figures of sockets, requests and memory are those of this process alone.
    """

    def __init__(self, asked: Asked = dict, names: tuple[str, ...] = (), takers: Sequence[Taker] = ()) -> None:
        super().__init__("history", EVERY_SECONDS)
        self.started_at = time.time()
        self._meter, self._takers = Meter(asked, names), takers
        self._series: dict[str, deque[float | None]] = {name: deque(maxlen=KEPT) for name in ("at", *self._meter.names)}

    def present(self) -> Figures:
        """Return the figures of the last five seconds, at most a second old."""
        return self._meter.read()

    def series(self) -> dict[str, list[float | None]]:
        """Return the samples by name, oldest first; `at` is their time in seconds since 1970."""
        return {name: list(kept) for name, kept in self._series.items()}

    def tick(self) -> None:
        """Append the current figures, and pass them on to `takers`."""
        present = self.present()
        for name, number in present.items():
            self._series[name].append(number)
        for take in self._takers:
            take(present)

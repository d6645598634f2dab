"""Reports the progress of a download or a copy without filling the log."""

import time
from collections.abc import Callable

QUIET_SECONDS = 1.0
LONGEST_QUIET_SECONDS = 5.0


class Progress:
    """Reports every 10 %, at most once a second and at least every five seconds, and always the end."""

    def __init__(self, report: Callable[[str], None], what: str = "snapshot") -> None:
        self._report, self._what = report, what
        self._said_at, self._said_percent = time.monotonic(), 0

    def restart(self) -> None:
        """Reset the progress, since the download starts over."""
        self._said_percent = 0

    def __call__(self, received: int, total: int | None) -> None:
        percent = 100 * received // total if total else 0
        quiet = time.monotonic() - self._said_at
        step = percent >= self._said_percent + 10
        if received != total and not (quiet >= LONGEST_QUIET_SECONDS or (quiet >= QUIET_SECONDS and step)):
            return
        self._said_at, self._said_percent = time.monotonic(), percent
        amount = f"{received / 1e6:.1f} of {total / 1e6:.1f} MB ({percent} %)" if total else f"{received / 1e6:.1f} MB"
        self._report(f"{self._what}: {amount}")

"""The circuit breaker of one of several APIs, and the budget of retries."""

import time

LONGEST_SECONDS = 300.0
CLOSED, OPEN, HALF_OPEN = "closed", "open", "half open"
SPARE_RETRIES = 10.0


class Breaker:
    """Stops calls to an API that failed several times in a row, and lets single ones try whether it is back.

    `open_until` and `trips` are shared by all workers: 0 is closed; before that time it is open, afterwards half open.
    """

    def __init__(self, most_failures: int, cooldown_seconds: float) -> None:
        self._most, self._cooldown_seconds = most_failures, cooldown_seconds
        self.open_until, self.trips = 0.0, 0
        self._failures, self._trying = 0, False

    @property
    def state(self) -> str:
        """Return `closed`, `open` or `half open`."""
        if not self.open_until:
            return CLOSED
        return OPEN if time.time() < self.open_until else HALF_OPEN

    def allows(self) -> bool:
        """Return whether a call may begin; of a half-open one only a single call at once."""
        return self.state == CLOSED or (self.state == HALF_OPEN and not self._trying)

    def begin(self) -> None:
        """Take note of a call that begins."""
        self._trying = self.state == HALF_OPEN

    def succeeded(self) -> bool:
        """Take note of a good call; return whether that closed the breaker."""
        self._failures, self._trying = 0, False
        changed = self.state == HALF_OPEN
        if changed:
            self.open_until, self.trips = 0.0, 0
        return changed

    def failed(self) -> bool:
        """Take note of a failed call; return whether that opened the breaker."""
        self._failures, self._trying = self._failures + 1, False
        trips = self.state == HALF_OPEN or (self.state == CLOSED and self._failures >= self._most)
        if trips:
            self.trip()
        return trips

    def ended(self) -> None:
        """Take note of a call that says nothing about the API, since its client has gone."""
        self._trying = False

    def trip(self) -> None:
        """Open it: for the cooldown, twice as long each time in a row."""
        pause = min(LONGEST_SECONDS, self._cooldown_seconds * 2.0 ** min(self.trips, 20))
        self.open_until, self.trips, self._failures = time.time() + pause, self.trips + 1, 0

    def checked(self) -> bool:
        """Take note of a good health check: an open breaker becomes half open; return whether it did."""
        changed = self.state == OPEN
        if changed:
            self.open_until = time.time()
        return changed


class RetryBudget:
    """Lets retries be a share of the calls, so that a dead pool is not asked several times as often as a good one."""

    def __init__(self, share: float) -> None:
        self._share, self._left = share, SPARE_RETRIES

    def called(self) -> None:
        """Take note of a request from a client."""
        self._left = min(SPARE_RETRIES, self._left + self._share)

    def take(self) -> bool:
        """Return whether a request may be sent once more."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

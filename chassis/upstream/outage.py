"""Detects outages of the outside API: several different calls fail in a row."""

import threading
import time

import structlog

from chassis.observability.metrics import UPSTREAM_FAILING
from chassis.upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
CALLS = 3  # different calls without an answer in between, since a single call may be at fault itself


class Outage:
    """Records since when no call has succeeded, and why; logs the start and the end once each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failing: set[int] = set()
        self._since: float | None = None
        self._reason = ""

    def problem(self) -> str | None:
        """Return the last error's message during an outage, or None."""
        return self._reason if self._since is not None else None

    def shorter_than(self, seconds: float) -> bool:
        """Return whether there is an outage that has lasted less than `seconds`."""
        since = self._since
        return since is not None and time.monotonic() - since < seconds

    def failed(self, call: int, error: UpstreamError) -> None:
        """Record that an attempt of the call with that number failed."""
        if error.retryable or error.of_the_account:  # account errors count too, although waiting does not fix them
            self._change(call, error.message)
        else:
            self.answered()  # the API rejected this request, so it is up

    def answered(self) -> None:
        """Record an answer."""
        if self._failing:
            self._change(None, "")

    def _change(self, failed: int | None, reason: str) -> None:
        with self._lock:
            before, self._reason = self._since, reason
            if failed is None:
                self._failing, self._since = set(), None
            elif before is None:
                self._failing = {*self._failing, failed}
                self._since = time.monotonic() if len(self._failing) == CALLS else None
            began, ended = self._since and not before, before and not self._since
        if began:
            UPSTREAM_FAILING.set(1)
            log.warning("upstream_failing", reason=reason)
        if ended:
            UPSTREAM_FAILING.set(0)
            log.info("upstream_answers_again")

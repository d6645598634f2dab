"""Whether the outside API answers at all: several calls in a row that fail say that it does not."""

import threading
import time

import structlog

from chassis.observability.metrics import UPSTREAM_FAILING
from chassis.upstream.errors import UpstreamError

log = structlog.get_logger(__name__)
CALLS = 3  # so many different ones, and no answer in between: a single one may be at fault itself


class Outage:
    """Knows since when nothing came back, and why; logs its begin and its end once each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failing: set[int] = set()
        self._since: float | None = None
        self._reason = ""

    def problem(self) -> str | None:
        """Return why the API is taken to be out, in its last error's words, or None."""
        return self._reason if self._since is not None else None

    def shorter_than(self, seconds: float) -> bool:
        """Return whether there is an outage, and it has not lasted for so long yet."""
        since = self._since
        return since is not None and time.monotonic() - since < seconds

    def failed(self, call: int, error: UpstreamError) -> None:
        """Take notice that an attempt of the call with that number failed."""
        if error.retryable or error.of_the_account:  # no answer either, though waiting does not mend it
            self._change(call, error.message)
        else:
            self.answered()  # it has an opinion on what was asked, so it lives

    def answered(self) -> None:
        """Take notice of an answer."""
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

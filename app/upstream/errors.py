"""What can go wrong with a call to the outside API, as a code for programs and a sentence for people."""

from typing import Literal

from app.errors import AppError

Code = Literal[
    "upstream_rejected",
    "upstream_unauthorized",
    "upstream_rate_limited",
    "upstream_unavailable",
    "upstream_timeout",
    "upstream_malformed",
]
STATUSES: dict[Code, int] = {"upstream_rate_limited": 503, "upstream_unavailable": 503, "upstream_timeout": 504}


class Cancelled(Exception):
    """Raised instead of waiting on, once the caller's `cancelled()` says so."""


class UpstreamError(AppError):
    """A call that failed for good, or one attempt of it that may be tried again (`retryable`)."""

    status = 502

    def __init__(self, code: Code, message: str, *, retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message, code=code, status=STATUSES.get(code))
        self.retryable = retryable
        self.retry_after = retry_after
        self.attempts = 1

"""Errors of calls to the outside API, as a code for programs and a sentence for people."""

from typing import Literal

from chassis.errors import AppError
from chassis.upstream.usage import Usage

Code = Literal[
    "upstream_rejected",
    "upstream_unauthorized",
    "upstream_no_credit",
    "upstream_not_found",
    "upstream_rate_limited",
    "upstream_unavailable",
    "upstream_timeout",
    "upstream_malformed",
    "upstream_too_large",
    "upstream_cut",
    "upstream_filtered",
]
STATUSES: dict[Code, int] = {"upstream_rate_limited": 503, "upstream_unavailable": 503, "upstream_timeout": 504}
OF_THE_ACCOUNT = ("upstream_unauthorized", "upstream_no_credit", "upstream_not_found")  # all other calls would fail too


class Cancelled(Exception):
    """Raised in a call that waits, after the caller's `cancelled()` has turned true."""


class UpstreamError(AppError):
    """A call that failed finally, or an attempt that can be retried (`retryable`).

    `text` is the part of an answer that arrived before it was cut, filtered or interrupted, and `usage` its tokens.
    """

    status = 502

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=STATUSES.get(code))
        self.code: Code = code
        self.retryable = retryable
        self.retry_after = retry_after
        self.text = text
        self.usage = Usage()
        self.attempts = 1

    @property
    def lasting(self) -> bool:
        """Whether a job that ends with it is not tried again: the error concerns the key, the account or the model."""
        return self.of_the_account

    @property
    def of_the_account(self) -> bool:
        """Whether the error concerns the key, the account or the model, not the prompt."""
        return self.code in OF_THE_ACCOUNT

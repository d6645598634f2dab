"""Errors for users and operators: each has a stable code, a sentence, and an HTTP status."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = [
    "AppError",
    "BadRequest",
    "BudgetExceeded",
    "Conflict",
    "Forbidden",
    "InMaintenance",
    "Misdirected",
    "NotFound",
    "OverQuota",
    "PayloadTooLarge",
    "ProofNeeded",
    "StorageFull",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
]


def first_mistake(error: "ValidationError", whole: str) -> str:
    """Return the location of the first mistake (`whole` if it is in no field) and its message, without the input."""
    first = error.errors(include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or whole
    return f"{where}: {first['msg']}"


class AppError(Exception):
    """An error with a code for programs and a sentence for people; answers and acknowledgements carry both."""

    code = "internal_error"
    status = 500
    exit_status = 1
    details: Mapping[str, Any] | None = None  # for programs, if the code and the sentence do not say everything

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status

    @property
    def lasting(self) -> bool:
        """Whether a job that ends with it is not tried again, since that would end in the same way."""
        return False

    def as_dict(self) -> dict[str, Any]:
        """Return the error as APIs and acknowledgements send it."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        return body | ({"details": dict(self.details)} if self.details else {})


class BadRequest(AppError):
    """The request is malformed."""

    code, status = "bad_request", 400


class Unauthorized(AppError):
    """The request needs an identity, or shows a wrong key or session."""

    code, status = "unauthorized", 401


class ProofNeeded(Unauthorized):
    """A person must prove again who they are, with a password or second factor."""

    code = "proof_needed"


class BudgetExceeded(AppError):
    """A call could cost more than is left of a monthly budget; `details` say what is left and when it renews."""

    code, status = "budget_exceeded", 402
    lasting = True

    def __init__(self, message: str, *, details: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.details = details


class Forbidden(AppError):
    """The identity may not do this."""

    code, status = "forbidden", 403


class NotFound(AppError):
    """The thing does not exist, or the identity may not see it."""

    code, status = "not_found", 404


class Conflict(AppError):
    """The state of the thing does not allow this."""

    code, status = "conflict", 409


class PayloadTooLarge(AppError):
    """The body is larger than the route accepts."""

    code, status = "payload_too_large", 413


class UnsupportedMediaType(AppError):
    """The route does not accept the type of the body."""

    code, status = "unsupported_media_type", 415


class Misdirected(AppError):
    """The request names a host that is not this service."""

    code, status = "misdirected_request", 421


class TooManyRequests(AppError):
    """A rate was exceeded; `retry_after_seconds` says when to try again."""

    code, status = "rate_limited", 429

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class OverQuota(AppError):
    """A key or an account would exceed a quota; `details` say what is left.

    The HTTP status is 507 for storage and 429 otherwise; `retry_after_seconds` is None where time alone frees nothing.
    """

    code, status = "quota_exceeded", 429

    def __init__(
        self, message: str, *, details: Mapping[str, Any], storage: bool, retry_after_seconds: float | None
    ) -> None:
        super().__init__(message, status=507 if storage else 429)
        self.details, self.retry_after_seconds = details, retry_after_seconds


class StorageFull(AppError):
    """The disk of the service has no room for what was sent."""

    code, status = "storage_full", 507


class Unavailable(AppError):
    """The service cannot do this at the moment."""

    code, status = "unavailable", 503


class InMaintenance(Unavailable):
    """The service is in maintenance mode, and the request would change something."""

    code, retry_after_seconds = "maintenance", 60.0


class BootError(AppError):
    """A start that cannot continue; the message tells the operator what to do."""

    code = "boot_failed"


class SettingsError(AppError):
    """All problems of the settings at once; exit status 78 is sysexits.h's EX_CONFIG."""

    code, exit_status = "settings_invalid", 78

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {name} {problem}" for name, problem in problems)
        super().__init__(f"The settings are wrong (see docs/configuration.md):\n{lines}")

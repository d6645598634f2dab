"""Every error that a user or operator may see: a stable code, a human sentence, an HTTP status."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = [
    "AppError",
    "BadRequest",
    "Conflict",
    "Forbidden",
    "InMaintenance",
    "Misdirected",
    "NotFound",
    "OverQuota",
    "PayloadTooLarge",
    "ProofNeeded",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMediaType",
]


def first_mistake(error: "ValidationError", whole: str) -> str:
    """Return where the first mistake is (`whole` when it is in no field) and what it is, without the input."""
    first = error.errors(include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or whole
    return f"{where}: {first['msg']}"


class AppError(Exception):
    """An error with a code for programs and a sentence for people; web and realtime render it."""

    code = "internal_error"
    status = 500
    exit_status = 1
    details: Mapping[str, Any] | None = None  # for programs, where the code and the sentence do not say it all

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status

    def as_dict(self) -> dict[str, Any]:
        """Return the body that APIs and acknowledgements carry."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        return body | ({"details": dict(self.details)} if self.details else {})


class BadRequest(AppError):
    code, status = "bad_request", 400


class Unauthorized(AppError):
    code, status = "unauthorized", 401


class ProofNeeded(Unauthorized):
    """Told to a person who has to show again that it is really them; a feature has the page that asks."""

    code = "proof_needed"


class Forbidden(AppError):
    code, status = "forbidden", 403


class NotFound(AppError):
    code, status = "not_found", 404


class Conflict(AppError):
    code, status = "conflict", 409


class PayloadTooLarge(AppError):
    code, status = "payload_too_large", 413


class UnsupportedMediaType(AppError):
    code, status = "unsupported_media_type", 415


class Misdirected(AppError):
    """Told to whoever asks by a name that is not this service's."""

    code, status = "misdirected_request", 421


class TooManyRequests(AppError):
    """Told to whoever is faster than a limit allows, with when to come again."""

    code, status = "rate_limited", 429

    def __init__(self, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class OverQuota(AppError):
    """Told to a key or an account that would use more than its quota; `details` say what is left.

    507 for storage, else 429; `retry_after_seconds` is None where time alone frees nothing.
    """

    code, status = "quota_exceeded", 429

    def __init__(
        self, message: str, *, details: Mapping[str, Any], storage: bool, retry_after_seconds: float | None
    ) -> None:
        super().__init__(message, status=507 if storage else 429)
        self.details, self.retry_after_seconds = details, retry_after_seconds


class Unavailable(AppError):
    code, status = "unavailable", 503


class InMaintenance(Unavailable):
    """Told to whoever would change something while operators keep the service from changing."""

    code, retry_after_seconds = "maintenance", 60.0


class BootError(AppError):
    """A start that cannot go on; the sentence tells the operator what to do."""

    code = "boot_failed"


class SettingsError(AppError):
    """Wrong settings, all of them at once; exit status 78 is sysexits.h's EX_CONFIG."""

    code, exit_status = "settings_invalid", 78

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {name} {problem}" for name, problem in problems)
        super().__init__(f"The settings are wrong (see docs/configuration.md):\n{lines}")

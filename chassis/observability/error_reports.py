"""Sends logged errors of requests, socket events, jobs and threads to Sentry, when SENTRY_DSN is set.

Every unexpected error is logged once, with the ids of its request, event or job. The SDK's own integrations are
therefore not needed, and the SDK is imported only when SENTRY_DSN is set.
"""

import logging
import sys
from typing import Any

import structlog

from chassis.base.service import current as service
from chassis.observability.scrub import Scrubber
from chassis.settings import Settings

TAGS = ("request_id", "sid", "job_id", "kind", "socket_event")
OWN = ("sentry_sdk", "urllib3", "opentelemetry")  # an error while sending must not be sent in turn
FLUSH_SECONDS = 2.0


def install(settings: Settings) -> None:
    """Start sending errors when SENTRY_DSN is set; call it after logging is configured, which removes all handlers."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return
    import sentry_sdk
    from sentry_sdk.consts import CompressionAlgo

    scrubber = Scrubber(settings)
    sentry_sdk.init(
        dsn=dsn,
        release=f"{service().slug}@{service().version}",
        environment=settings.sentry_environment or settings.app_env,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_default_pii=False,
        include_local_variables=False,  # they contain what clients sent
        max_breadcrumbs=0,
        before_send=lambda event, _hint: scrubber.clean(event),
        shutdown_timeout=FLUSH_SECONDS,
        integrations=[_at_exit()],
        _experiments={"transport_compression_algo": CompressionAlgo.GZIP},  # the SDK may prefer brotli
    )
    logging.getLogger().addHandler(Reporter())


def flush() -> None:
    """Wait briefly for pending events to be sent; does nothing when reporting is off."""
    if "sentry_sdk" in sys.modules:
        import sentry_sdk

        sentry_sdk.flush(FLUSH_SECONDS)


class Reporter(logging.Handler):
    """Turns each logged error into an event; the SDK sends it from its own thread, with at most 100 waiting."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the error to the SDK; one that cannot be sent is only in the log."""
        if record.name.startswith(OWN):
            return
        import sentry_sdk

        try:
            sentry_sdk.capture_event(*_event(record))
        except Exception:
            self.handleError(record)


def _event(record: logging.LogRecord) -> tuple[Any, Any]:
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    fields = {**structlog.contextvars.get_contextvars(), **(record.msg if isinstance(record.msg, dict) else {})}
    message = str(fields.pop("event", None) or record.getMessage())
    event: dict[str, Any] = {"level": record.levelname.lower()}
    raised, hint = _raised(record.exc_info or fields.pop("exc_info", None)), None
    if raised is not None:
        found, hint = event_from_exception(raised, sentry_sdk.get_client().options)
        event |= found
    event["logger"], event["logentry"] = record.name, {"formatted": message}
    event["tags"] = {name: str(fields[name]) for name in TAGS if name in fields}
    event["extra"] = {name: value for name, value in fields.items() if name not in TAGS and not name.startswith("_")}
    return event, hint


def _raised(exc_info: Any) -> BaseException | None:
    """Return the exception of an `exc_info` as the logging module and structlog accept it."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1]  # type: ignore[no-any-return]
    return sys.exc_info()[1] if exc_info else None


def _at_exit() -> Any:
    """Return the SDK's integration that sends pending events at exit, without its message on standard error."""
    from sentry_sdk.integrations.atexit import AtexitIntegration

    return AtexitIntegration(callback=lambda _pending, _timeout: None)

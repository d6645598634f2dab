"""Calls to the provider: limited in time, size and number, without redirects, returning one JSON object."""

import threading
from typing import Any

import requests
import structlog

from chassis.errors import Unavailable
from chassis.upstream.errors import UpstreamError
from chassis.upstream.replies import Reply, TooLarge, parsed, receive
from chassis.upstream.session import Patience, limited, new_session
from chassis.upstream.waiting import never

log = structlog.get_logger(__name__)
ALWAYS = {"Accept": "application/json", "Connection": "close"}  # a kept connection may have been closed
SECONDS, MOST_BYTES, AT_ONCE = 10.0, 200_000, 8
_slots = threading.BoundedSemaphore(AT_ONCE)  # of callers waiting for a provider that hangs
_session = new_session(AT_ONCE)


class ProviderUnavailable(Unavailable):
    """The provider is unreachable, or its response is invalid; the log has the reason."""

    code, retry_after_seconds = "provider_unavailable", 30.0

    def __init__(self) -> None:
        super().__init__("The sign-in service is not working properly. Try again in a minute.")


def ask(method: str, url: str, headers: dict[str, str] | None = None, body: str = "") -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object of a response; raise ProviderUnavailable for any failure."""
    if not _slots.acquire(timeout=SECONDS):
        raise unavailable(url, "too many sign-ins are waiting for it")
    try:
        with limited(Patience(SECONDS, never, MOST_BYTES)):
            reply = _sent(method, url, {**ALWAYS, **(headers or {})}, body)
        return reply.status, _object(reply)
    except (requests.RequestException, UpstreamError, TooLarge, OSError, ValueError) as error:
        raise unavailable(url, _reason(error)) from None
    finally:
        _slots.release()


def unavailable(url: str, reason: str) -> ProviderUnavailable:
    """Log why the provider cannot be used, and return the error shown to people."""
    log.warning("oidc_provider_unavailable", url=url, reason=reason)
    return ProviderUnavailable()


def _sent(method: str, url: str, headers: dict[str, str], body: str) -> Reply:
    with _session.request(
        method,
        url,
        headers=headers,
        data=body or None,
        auth=_as_it_is,
        timeout=SECONDS,
        allow_redirects=False,
        stream=True,
    ) as response:
        return receive(response, MOST_BYTES)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Prevent ~/.netrc from replacing the client's own authentication."""
    return request


def _object(reply: Reply) -> dict[str, Any]:
    found = parsed(reply)
    if reply.good and not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found if isinstance(found, dict) else {}


def _reason(error: Exception) -> str:
    """Return what happened, without the content of the request."""
    return error.code if isinstance(error, UpstreamError) else type(error).__name__

"""Sends one call to the outside API, and names what goes wrong."""

from dataclasses import dataclass

import requests

from chassis.observability import tracing
from chassis.observability.metrics import UPSTREAM_IN_FLIGHT, UPSTREAM_LATENCY
from chassis.upstream.errors import UpstreamError
from chassis.upstream.replies import Reply, TooLarge, receive, too_large
from chassis.upstream.session import Bearer, Patience, patience
from chassis.upstream.waiting import Check

CONNECT_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Setup:
    """The settings of a call."""

    url: str
    model: str
    key: str
    timeout_seconds: float
    max_response_bytes: int
    max_retries: int
    outage_seconds: float
    connections: int
    session: requests.Session


def send(setup: Setup, prompt: str, cancelled: Check) -> Reply:
    """Return the API's reply to a prompt; raise UpstreamError, or Cancelled soon after `cancelled()` turns true."""
    if not (setup.key.isascii() and setup.key.isprintable()):  # the library's own error would show the key
        raise UpstreamError(
            "upstream_unauthorized", "OPENROUTER_API_KEY contains characters that are not valid in a key."
        )
    seconds = setup.timeout_seconds
    measured = {"kind": "client", "http.request.method": "POST", "url.full": setup.url}
    with (
        patience(seconds, cancelled, setup.max_response_bytes) as limits,
        UPSTREAM_IN_FLIGHT.track_inprogress(),
        UPSTREAM_LATENCY.time(),
        tracing.child("POST", measured),
    ):
        try:
            with setup.session.post(
                setup.url,
                headers=tracing.headers(),
                json={"model": setup.model, "messages": [{"role": "user", "content": prompt}]},
                auth=Bearer(setup.key),
                timeout=(min(CONNECT_TIMEOUT_SECONDS, seconds), seconds),
                allow_redirects=False,  # the key must only be sent to the configured host
                stream=True,
            ) as response:
                tracing.note({"http.response.status_code": response.status_code})
                return receive(response, setup.max_response_bytes)
        except TooLarge:
            raise too_large(setup.max_response_bytes) from None
        except requests.RequestException as error:
            raise _broken(error, limits, seconds) from error


def _broken(error: requests.RequestException, limits: Patience, seconds: float) -> UpstreamError:
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UpstreamError("upstream_malformed", "The outside API returned an answer that cannot be decoded.")
    if isinstance(error, requests.Timeout) or limits.over:
        message = f"The outside API did not answer within {seconds:g} seconds."
        return UpstreamError("upstream_timeout", message, retryable=True)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        message = "The connection to the outside API failed or was interrupted."
        return UpstreamError("upstream_unavailable", message, retryable=True)
    return UpstreamError("upstream_rejected", "The request could not be sent; check UPSTREAM_BASE_URL.")

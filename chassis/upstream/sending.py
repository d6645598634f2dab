"""Sends one call to the outside API, and names what goes wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import DecodeError, HTTPError

from chassis.observability import tracing
from chassis.observability.metrics import UPSTREAM_IN_FLIGHT, UPSTREAM_LATENCY
from chassis.upstream import allowances
from chassis.upstream.calls import Call
from chassis.upstream.errors import UpstreamError
from chassis.upstream.replies import Reply, TooLarge, receive, too_large
from chassis.upstream.session import Bearer, Patience, limited
from chassis.upstream.waiting import Check

CONNECT_TIMEOUT_SECONDS = 10.0
BREAKS = (TooLarge, requests.RequestException, HTTPError)


@dataclass(frozen=True)
class Setup:
    """The settings of a call."""

    url: str
    embeddings_url: str
    model: str
    key: str
    timeout_seconds: float
    first_part_seconds: float
    idle_seconds: float
    stream_seconds: float
    stream_usage: bool
    max_response_bytes: int
    max_retries: int
    outage_seconds: float
    connections: int
    session: requests.Session
    environment: Mapping[str, Any]  # proxies and certificates


def send(setup: Setup, call: Call, cancelled: Check) -> Reply:
    """Return the API's reply to a call; raise UpstreamError, or Cancelled soon after `cancelled()` turns true."""
    return send_body(setup, call.body(setup.model), cancelled)


def send_body(setup: Setup, body: dict[str, Any], cancelled: Check) -> Reply:
    """Return the API's reply to a body at the address of `setup`; raises what `send` does."""
    seconds = setup.timeout_seconds
    limits = Patience(seconds, cancelled, setup.max_response_bytes)
    with traced(setup), under_way(), answer_to(setup, body, limits, seconds) as response:
        return receive(response, setup.max_response_bytes)


def traced(setup: Setup) -> Any:
    """Return the span of a request."""
    return tracing.child("POST", {"kind": "client", "http.request.method": "POST", "url.full": setup.url})


@contextmanager
def under_way() -> Iterator[None]:
    """Count the block among the calls under way, and measure it."""
    with UPSTREAM_IN_FLIGHT.track_inprogress(), UPSTREAM_LATENCY.time():
        yield


@contextmanager
def answer_to(
    setup: Setup, body: dict[str, Any], limits: Patience, seconds: float, headers: dict[str, str] | None = None
) -> Iterator[requests.Response]:
    """Send a request and yield its response once the head is there; `seconds` is how long the socket may be silent.

    What goes wrong inside the block while the response is read becomes an UpstreamError; Cancelled passes.
    """
    if not (setup.key.isascii() and setup.key.isprintable()):  # the library's own error would show the key
        raise UpstreamError(
            "upstream_unauthorized", "OPENROUTER_API_KEY contains characters that are not valid in a key."
        )
    try:
        with limited(limits):
            response = setup.session.send(
                _prepared(setup, body, headers or {}),
                timeout=(min(CONNECT_TIMEOUT_SECONDS, seconds), seconds),
                allow_redirects=False,  # the key must only be sent to the configured host
                **setup.environment,
            )
        with response:
            tracing.note({"http.response.status_code": response.status_code})
            allowances.measure(response.headers)
            yield response
    except BREAKS as error:
        raise named(error, limits, setup) from error


def _prepared(setup: Setup, body: dict[str, Any], headers: Mapping[str, str]) -> requests.PreparedRequest:
    """Return a request; `Session.post` would merge settings that do not change into each, a tenth of a call's time."""
    own = {**setup.session.headers, **tracing.headers(), **headers}
    return requests.Request("POST", setup.url, headers=own, json=body, auth=Bearer(setup.key)).prepare()


def named(error: Exception, limits: Patience, setup: Setup) -> UpstreamError:
    """Return the error for one of BREAKS."""
    if isinstance(error, TooLarge):
        return too_large(setup.max_response_bytes)
    if isinstance(error, requests.exceptions.ContentDecodingError | DecodeError):
        return UpstreamError("upstream_malformed", "The outside API returned an answer that cannot be decoded.")
    if isinstance(error, requests.Timeout) or limits.over:
        return UpstreamError("upstream_timeout", limits.complaint, retryable=True)
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError | HTTPError):
        message = "The connection to the outside API failed or was interrupted."
        return UpstreamError("upstream_unavailable", message, retryable=True)
    return UpstreamError("upstream_rejected", "The request could not be sent; check UPSTREAM_BASE_URL.")

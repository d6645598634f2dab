"""The hooks around every request: its id, its access log line and its metrics."""

import logging
import os
import re
import time
from functools import cache
from typing import Any

from flask import Flask, Request, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from chassis.observability.formatting import REQUEST_FIELDS
from chassis.observability.lines import LineHandler
from chassis.observability.metrics import HTTP_LATENCY, HTTP_REQUESTS, LOG_DROPPED

log = logging.getLogger("chassis.access")  # not structlog: every request logs this line, and takes a third less
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # the rest would fill the cache and the labels
QUIET_PATHS = ("/livez", "/readyz", "/healthz", "/health/", "/metrics", "/static/", "/favicon.ico")
QUIET_PATH = "/health"  # not as a prefix: it could begin the path of a feature


def install(app: Flask) -> None:
    """Add the hooks; from here on metrics are available, including the count of dropped log lines."""
    LineHandler.count = LOG_DROPPED.inc
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.environ.get("HTTP_X_REQUEST_ID")
    request_id = given if given and ACCEPTED_ID.fullmatch(given) else os.urandom(16).hex()
    kept = g._get_current_object()  # a proxy access takes 1 us
    kept.started, kept.request_id = time.perf_counter(), request_id
    clear_contextvars()  # the thread may have served another request before
    bind_contextvars(request_id=request_id)


def _end(response: Response) -> Response:
    now, asked, kept = time.perf_counter(), request._get_current_object(), g._get_current_object()  # type: ignore[attr-defined]
    seconds = now - kept.get("started", now)
    response.headers["X-Request-ID"] = kept.get("request_id", "")
    endpoint, method = asked.endpoint or "unmatched", asked.method
    _requests(method if method in METHODS else "other", endpoint, response.status_code).inc()
    _latency(endpoint).observe(seconds)
    quiet = asked.path.startswith(QUIET_PATHS) or asked.path == QUIET_PATH
    level = logging.DEBUG if quiet else logging.INFO
    if log.isEnabledFor(level):
        log.log(level, "request", extra={REQUEST_FIELDS: _line(asked, response.status_code, seconds)})
    return response


def _line(asked: Request, status: int, seconds: float) -> dict[str, Any]:
    return {
        "method": asked.method,
        "path": asked.path,
        "status": status,
        "duration_ms": round(seconds * 1000, 2),
        "remote": asked.remote_addr,
    }


@cache
def _requests(method: str, endpoint: str, status: int) -> Any:
    return HTTP_REQUESTS.labels(method, endpoint, status)


@cache
def _latency(endpoint: str) -> Any:
    return HTTP_LATENCY.labels(endpoint)

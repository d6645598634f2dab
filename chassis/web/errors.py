"""Renders every error: as JSON for programs, as a page for people."""

import math
import traceback
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from gunicorn.http.errors import ParseException
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from chassis.db.faults import reason_of
from chassis.db.trouble import DatabaseUnavailable, unavailable
from chassis.errors import AppError, InMaintenance, OverQuota, ProofNeeded, TooManyRequests
from chassis.wiring import current_settings, current_wiring

log = structlog.get_logger(__name__)

WORDS = {
    400: ("Invalid request", "The service could not understand the request."),
    401: ("Please sign in", "This page needs a sign-in or an API key."),
    402: ("Budget used up", "The monthly budget has no room for this."),
    403: ("Not allowed", "You do not have permission to see this."),
    404: ("Page not found", "There is no page at this address."),
    405: ("Method not allowed", "This address does not accept this kind of request."),
    408: ("Request timed out", "The request did not arrive in time: try again."),
    413: ("Too large", "The request is larger than this service accepts."),
    415: ("Wrong content type", "This address does not accept this kind of content."),
    421: ("Wrong name", "This service is not available under that name."),
    429: ("Too many requests", "You have sent too many requests: wait a moment and try again."),
    500: ("Something went wrong", "The error is on our side, and it has been logged."),
    503: ("Service unavailable", "The service cannot answer right now: try again shortly."),
    507: ("Storage is full", "Your storage limit is reached: delete something, or ask for more."),
}
CODES = {
    401: "unauthorized",
    403: "forbidden",
    408: "request_timeout",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: TooManyRequests.code,
    500: "internal_error",
    503: "unavailable",
}
PROGRAM_PATHS = ("/api/", "/healthz", "/health/", "/livez", "/readyz", "/metrics")


def install(app: Flask) -> None:
    """Render AppError, werkzeug's errors and unexpected exceptions."""
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DataError, _refused_value)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(ParseException, _malformed_body)
    app.register_error_handler(Exception, _unexpected)


def _app_error(error: AppError) -> Response:
    if error.status >= 500 and not isinstance(error, InMaintenance | OverQuota | DatabaseUnavailable):
        log.warning("request_failed", code=error.code, reason=error.message)
    if isinstance(error, ProofNeeded):
        if (page := _proof_page()) is not None:
            return page
    elif error.status == 401 and (sign_in := _sign_in_page()):
        return make_response(redirect(sign_in))
    response = _render(error.status, error.code, error.message, details=error.details)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if (seconds := getattr(error, "retry_after_seconds", None)) is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    words = WORDS.get(status, ("", error.description or error.name))[1]
    response = _render(status, CODES.get(status, error.name.lower().replace(" ", "_")), words)
    for name, value in error.get_headers():
        if name.lower() != "content-type":  # Retry-After, Allow and the like
            response.headers[name] = value
    return response


def _refused_value(error: DataError) -> Response:
    """Answer to a value that the database's types cannot store, such as a null character in an id."""
    log.warning("value_refused", path=request.path, reason=str(error.orig))
    return _render(400, "invalid_value", "The request contains a value that cannot be stored.")


def _database_error(error: SQLAlchemyError) -> Response:
    """Answer with 503 while the database refuses what it can accept later (full, read-only, locked, away)."""
    told = unavailable(error)
    if told is None:
        return _unexpected(error)
    log.warning("database_refused", path=request.path, reason=reason_of(error))
    return _app_error(told)


def _malformed_body(_error: ParseException) -> Response:
    """Answer to malformed chunks, which gunicorn detects when the body is read."""
    return _render(400, "bad_request", "The body is not valid HTTP.")


def _unexpected(error: Exception) -> Response:
    log.exception("request_raised", path=request.path)
    trace = traceback.format_exc() if current_settings().debug_pages else ""
    return _render(500, "internal_error", WORDS[500][1], trace)


def _render(
    status: int, code: str, message: str, trace: str = "", details: Mapping[str, Any] | None = None
) -> Response:
    request_id = g.get("request_id", "")
    if for_program():
        body = {"code": code, "message": message, "request_id": request_id} | ({"details": details} if details else {})
        return make_response(jsonify(error=body), status)
    title = WORDS.get(status, ("Something went wrong", ""))[0]
    shown = {"status": status, "title": title, "message": message, "request_id": request_id, "trace": trace}
    try:
        return make_response(render_template("error.html", **shown), status)
    except Exception:
        log.exception("error_page_failed")
        return make_response((f"{title}. {message}\n", status, {"Content-Type": "text/plain; charset=utf-8"}))


def _sign_in_page() -> str | None:
    """Return the URL for signing in when a person requested a page, if a feature has one."""
    url_for_path = current_wiring().sign_in_url
    asks_for_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if url_for_path is None or not asks_for_page or for_program():
        return None
    return url_for_path(request.full_path.removesuffix("?"))


def _proof_page() -> Response | None:
    """Return the page that asks for proof, if a feature has one and can continue from there."""
    ask = current_wiring().proof_page
    page = None if ask is None or for_program() else ask()
    return None if page is None else make_response(page)


def for_program() -> bool:
    """Return whether the request expects JSON rather than a page."""
    if request.path.startswith((*PROGRAM_PATHS, *current_wiring().program_paths)):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"

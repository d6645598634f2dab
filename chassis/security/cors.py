"""Lets pages of the origins in CORS_ORIGINS call /api with credentials, and read the responses."""

import re

from flask import Flask, Response, request

from chassis.settings import Settings

PATHS = "/api/"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
EXPOSED = "X-Request-ID, Retry-After, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
MAX_AGE_SECONDS = "600"
FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,1000}")


def install(app: Flask, settings: Settings) -> None:
    """Answer preflight requests and add the CORS headers; does nothing when CORS_ORIGINS is empty."""
    origins = frozenset(settings.cors_origins)
    if not origins:
        return

    def preflight() -> Response | None:
        """Answer before a key is required: browsers send none with a preflight request."""
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204) if asks and request.path.startswith(PATHS) else None

    def mark(response: Response) -> Response:
        if not request.path.startswith(PATHS):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
        elif origin and "*" in origins:  # never with credentials, and not in production
            response.headers["Access-Control-Allow-Origin"] = "*"
        else:
            return response
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            _allow(response)
        return response

    app.before_request(preflight)
    app.after_request(mark)


def _allow(response: Response) -> None:
    """Allow every header that the preflight request asks for: the page's origin is listed."""
    wanted = request.headers.get("Access-Control-Request-Headers", "")
    response.headers["Access-Control-Allow-Methods"] = METHODS
    if wanted and FIELD_NAMES.fullmatch(wanted):
        response.headers["Access-Control-Allow-Headers"] = wanted
    response.headers["Access-Control-Max-Age"] = MAX_AGE_SECONDS

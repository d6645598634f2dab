"""Which pages may open sockets here: our own, and those of the origins in CORS_ORIGINS."""

from collections.abc import Callable, Collection
from typing import Any

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def origin_check(others: Collection[str]) -> Callable[[str | None, dict[str, Any]], bool]:
    """Return the check of an Origin header; a client that sends none is not a browser and passes.

    Our own origin is what the browser sees: behind a proxy that is what `chassis.security.proxies` found.
    """

    def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
        return not origin or "*" in others or origin in others or origin == own(environ)

    return allowed


def own(environ: dict[str, Any]) -> str:
    """Return our origin as a browser writes it, without a port that goes without saying."""
    scheme: str = environ.get("wsgi.url_scheme", "http")
    return f"{scheme}://{environ.get('HTTP_HOST', '').removesuffix(DEFAULT_PORTS.get(scheme, ':80'))}"

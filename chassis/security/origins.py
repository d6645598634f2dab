"""Which pages may open sockets: our own, and those of the origins in CORS_ORIGINS."""

from collections.abc import Callable, Collection
from typing import Any

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def origin_check(others: Collection[str]) -> Callable[[str | None, dict[str, Any]], bool]:
    """Return the check of an Origin header; a client that sends none is not a browser and passes.

    Our own origin is the one that the browser sees: behind a proxy, `chassis.security.proxies` determines it.
    """

    def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
        return not origin or "*" in others or origin in others or origin == own(environ)

    return allowed


def own(environ: dict[str, Any]) -> str:
    """Return our origin as a browser writes it, without a default port."""
    scheme: str = environ.get("wsgi.url_scheme", "http")
    return f"{scheme}://{environ.get('HTTP_HOST', '').removesuffix(DEFAULT_PORTS.get(scheme, ':80'))}"

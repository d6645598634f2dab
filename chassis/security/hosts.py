"""The host names that this service accepts: ALLOWED_HOSTS and PUBLIC_URL, in development only this machine's.

A page of another site can point its own host name at this machine's address (DNS rebinding), and then has the same
origin as what it reads here. It cannot do so with an address. Addresses are therefore accepted in development, and
always for probes and scrapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog
from flask import Flask, request

from chassis.errors import BadRequest, Misdirected
from chassis.extensions import SOCKET_PATH
from chassis.security.networks import HOST, Address, parsed
from chassis.settings import Settings
from chassis.wiring import current_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)
REFUSED = "app.refused_host"  # WSGI environment key; its value is one of these:
MALFORMED, OTHER = "malformed", "other"
# Platforms and proxies send any host name; no secrets here.
PROBES = ("/livez", "/readyz", "/healthz", "/health", "/health/live", "/health/ready")
SCRAPED = "/metrics"  # by address or an internal name, for the networks of METRICS_ALLOW
HINT = "If this is a name of the service, add it to ALLOWED_HOSTS."


def install(app: Flask) -> None:
    """Answer 400 or 421 to requests that `wrapped` has marked."""
    app.before_request(_check)


def wrap(app: Flask, settings: Settings) -> None:
    """Wrap the application, including the sockets' path; `chassis.security.proxies`, outside, determines the host."""
    checked = wrapped(app.wsgi_app, allowed_names(settings), addresses=not settings.production)
    app.wsgi_app = checked  # type: ignore[assignment, method-assign]


def allowed_names(settings: Settings) -> frozenset[str]:
    """Return the names of this service, with `.example.org` for all subdomains; empty when every name is accepted."""
    own = urlsplit(settings.public_url).hostname or ""
    listed = {name.lower() for name in (*settings.allowed_hosts, own) if name}
    if "*" in listed:
        return frozenset()
    if not listed and settings.app_env != "development":
        return frozenset()
    return frozenset(listed | {"localhost", ".localhost"})


def wrapped(application: WSGIApplication, names: Iterable[str], *, addresses: bool) -> WSGIApplication:
    """Return the application behind a check of the host; `addresses` accepts every address, no `names` every name."""
    good = _check_of(frozenset(names), addresses)
    told: list[str] = []

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host, path = environ.get("HTTP_HOST", ""), environ["PATH_INFO"]
        malformed = "HTTP_HOST" in environ and not _is_host(host)
        if not malformed and (good(host) or path in PROBES or (path == SCRAPED and _of_inside(host))):
            return application(environ, start_response)
        if not malformed and not told:  # scanners try many names: one line tells an operator about a missing name
            told.append(host)
            log.warning("host_refused", host=host[:300], hint=HINT)
        environ[REFUSED] = MALFORMED if malformed else OTHER
        if malformed:
            environ["HTTP_HOST"] = "malformed.invalid"  # the renderer of the answer can parse this one
        if path.startswith(SOCKET_PATH):
            environ["PATH_INFO"] = SOCKET_PATH.rstrip("/")  # not to the sockets but to the pages, which refuse it
        return application(environ, start_response)

    return call


def base_url() -> str:
    """Return this service's base URL without a trailing slash: PUBLIC_URL, or the host of this request."""
    settings = current_settings()
    return settings.public_url.rstrip("/") or request.host_url.rstrip("/")


def link_base() -> str:
    """Return the base URL of links that are sent to others: PUBLIC_URL; in production empty when that is not set."""
    settings = current_settings()
    return "" if settings.production and not settings.public_url else base_url()


def _check_of(names: frozenset[str], addresses: bool) -> Callable[[str], bool]:
    below = tuple(name for name in names if name.startswith("."))

    @lru_cache(maxsize=256)
    def good(host: str) -> bool:
        if not names:
            return True
        found = HOST.fullmatch(host)
        name = found[1].lower().removesuffix(".") if found else ""
        if name in names or (name and name.endswith(below)):
            return True
        address = _address(host)
        return address is not None and (addresses or address.is_loopback)

    return good


@lru_cache(maxsize=256)
def _is_host(host: str) -> bool:
    """Return whether the text is a host name or an address, with or without a port."""
    found = HOST.fullmatch(host)
    return (
        found is not None and (not host.startswith("[") or _address(host) is not None) and int(found[2] or 0) < 65_536
    )


def _of_inside(host: str) -> bool:
    """Return whether the host is an address, or a name without a dot, such as a container's; public sites have dots."""
    found = HOST.fullmatch(host)
    return found is not None and ("." not in found[1] or _address(host) is not None)


def _address(host: str) -> Address | None:
    found = HOST.fullmatch(host)
    return parsed(found[1].strip("[]")) if found else None


def _check() -> None:
    why = request.environ.get(REFUSED)
    if why == MALFORMED:
        raise BadRequest("The host of the request is neither a name nor an address.", code="bad_host")
    if why:
        raise Misdirected("This service is not available under that name.")

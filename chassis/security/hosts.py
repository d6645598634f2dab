"""By which names this service answers: those of ALLOWED_HOSTS and PUBLIC_URL, in development this machine's alone.

A page of another site can make its own name mean this machine's address (DNS rebinding), and is then of the same origin
as what it reads here. It cannot do so with an address, which is why addresses pass in development, and why probes and
scrapes by address always do.
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
REFUSED = "app.refused_host"  # in the environment, with one of these
MALFORMED, OTHER = "malformed", "other"
PROBES = ("/livez", "/readyz", "/healthz")  # of platforms and proxies, which name what they like; no secret is in them
SCRAPED = "/metrics"  # by address or a name of the inner network, for the networks of METRICS_ALLOW
HINT = "If this is a name of the service, add it to ALLOWED_HOSTS."


def install(app: Flask) -> None:
    """Answer 400 or 421 to requests that `wrapped` has marked."""
    app.before_request(_check)


def wrap(app: Flask, settings: Settings) -> None:
    """Wrap the application, the sockets' path included; `chassis.security.proxies`, around it, finds the host."""
    checked = wrapped(app.wsgi_app, allowed_names(settings), addresses=not settings.production)
    app.wsgi_app = checked  # type: ignore[assignment, method-assign]


def allowed_names(settings: Settings) -> frozenset[str]:
    """Return the names of this service, `.example.org` for all below; empty where every name is taken."""
    own = urlsplit(settings.public_url).hostname or ""
    listed = {name.lower() for name in (*settings.allowed_hosts, own) if name}
    if "*" in listed:
        return frozenset()
    if not listed and settings.app_env != "development":
        return frozenset()
    return frozenset(listed | {"localhost", ".localhost"})


def wrapped(application: WSGIApplication, names: Iterable[str], *, addresses: bool) -> WSGIApplication:
    """Return the application behind a check of the host; `addresses` lets every address pass, no name every name."""
    good = _check_of(frozenset(names), addresses)
    told: list[str] = []

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host, path = environ.get("HTTP_HOST", ""), environ["PATH_INFO"]
        malformed = "HTTP_HOST" in environ and not _is_host(host)
        if not malformed and (good(host) or path in PROBES or (path == SCRAPED and _of_inside(host))):
            return application(environ, start_response)
        if not malformed and not told:  # scanners ask by many names: one line tells an operator who forgot a name
            told.append(host)
            log.warning("host_refused", host=host[:300], hint=HINT)
        environ[REFUSED] = MALFORMED if malformed else OTHER
        if malformed:
            environ["HTTP_HOST"] = "malformed.invalid"  # what renders the answer can read this one
        if path.startswith(SOCKET_PATH):
            environ["PATH_INFO"] = SOCKET_PATH.rstrip("/")  # past the sockets, to the pages, which refuse it
        return application(environ, start_response)

    return call


def base_url() -> str:
    """Return where people reach this service, without a slash at the end: PUBLIC_URL, else as this request has it."""
    settings = current_settings()
    return settings.public_url.rstrip("/") or request.host_url.rstrip("/")


def link_base() -> str:
    """Return what links begin with that are passed on: PUBLIC_URL; in production nothing where that is not set."""
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
    """Return whether it is a name or an address, with a port or without."""
    found = HOST.fullmatch(host)
    return (
        found is not None and (not host.startswith("[") or _address(host) is not None) and int(found[2] or 0) < 65_536
    )


def _of_inside(host: str) -> bool:
    """Return whether it is an address, or a name without a dot, such as a container's; sites have dots."""
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

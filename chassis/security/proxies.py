"""Determines a request's source from the headers of TRUSTED_PROXIES; those of other peers are ignored.

Inside this wrapper, REMOTE_ADDR, wsgi.url_scheme and HTTP_HOST are correct. The headers themselves are removed, so
that no code reads them by mistake. It must be the outermost wrapper, and covers the sockets' path.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from chassis.security.networks import HOST, Address, allowed, parsed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

    from chassis.settings import Proxy, Settings

log = structlog.get_logger(__name__)
UNIX = "unix"  # a peer on a unix socket has no address
HINT = "If this is your proxy, add it to TRUSTED_PROXIES."
MAX_HOPS = 20  # a client can write any number into its headers
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}  # some proxies send the websocket's scheme
DEFAULT_PORTS = {"http": "80", "https": "443"}
FORWARDED_FOR, PROTO, FORWARDED_HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
AUTHORITY = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)  # the target of a request for a whole URL replaces Host
REMOVED = frozenset(
    (
        FORWARDED_FOR,
        PROTO,
        FORWARDED_HOST,
        "HTTP_FORWARDED",
        "HTTP_X_FORWARDED_PORT",
        "HTTP_X_FORWARDED_PREFIX",
        "HTTP_X_FORWARDED_PROTOCOL",
        "HTTP_X_FORWARDED_SCHEME",
        "HTTP_X_FORWARDED_SERVER",
        "HTTP_X_FORWARDED_SSL",
        "HTTP_X_REAL_IP",
    )
)


def install(app: Flask, settings: Settings) -> None:
    """Wrap the application; call it after all other wrappers."""
    app.wsgi_app = wrapped(app.wsgi_app, settings.trusted_proxies)  # type: ignore[assignment, method-assign]


def wrapped(application: WSGIApplication, proxies: Iterable[Proxy]) -> WSGIApplication:
    """Return the application with requests as trusted proxies describe them; other peers' headers are removed."""
    trusted = trust(tuple(proxies))
    told: list[str] = []

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR") or ""
        if named := AUTHORITY.match(environ.get("RAW_URI", "")):
            environ["HTTP_HOST"] = named[1]  # https://datatracker.ietf.org/doc/html/rfc9112#section-3.2.2
        if trusted(peer):
            _apply(environ, peer, trusted)
        elif not told and FORWARDED_FOR in environ:
            told.append(peer)
            log.warning("forwarded_headers_ignored", peer=peer, hint=HINT)
        for name in REMOVED.intersection(environ):
            del environ[name]
        return application(environ, start_response)

    return call


def trust(proxies: tuple[Proxy, ...]) -> Callable[[str], bool]:
    """Return a function that tells whether a peer, given by address (empty on a unix socket), is a trusted proxy."""
    networks = tuple(proxy for proxy in proxies if not isinstance(proxy, str))

    @lru_cache(maxsize=4096)
    def trusted(peer: str) -> bool:
        return UNIX in proxies if peer in ("", "unix:") else allowed(peer, networks)

    return trusted if proxies else lambda _peer: False


def _apply(environ: WSGIEnvironment, peer: str, trusted: Callable[[str], bool]) -> None:
    environ["REMOTE_ADDR"] = client_of(environ.get(FORWARDED_FOR, ""), peer, trusted)
    scheme = SCHEMES.get(_last(environ.get(PROTO, "")).lower())
    if scheme:
        environ["wsgi.url_scheme"] = scheme
    if host := HOST.fullmatch(_last(environ.get(FORWARDED_HOST, ""))):
        environ["HTTP_HOST"] = host[0]
        environ["SERVER_NAME"] = host[1]
        environ["SERVER_PORT"] = host[2] or DEFAULT_PORTS[environ["wsgi.url_scheme"]]


def client_of(forwarded_for: str, peer: str, trusted: Callable[[str], bool]) -> str:
    """Return the right-most address that is not a trusted proxy's: its sender may have forged those to its left.

    The search ends at text that is not an address, and at a loopback address behind another machine: the last known
    proxy then stands for its client.
    """
    known = peer
    for text in reversed(forwarded_for.rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
        address = _address(text.strip())
        if address is None or (address.is_loopback and not _local(known)):
            return known
        known = str(address)
        if not trusted(known):
            return known
    return known


def _last(value: str) -> str:
    """Return the nearest proxy's value when several proxies added one."""
    return value.rpartition(",")[2].strip()


def _address(text: str) -> Address | None:
    """Return the address, without its port, or None; a zone (`%eth0`) may contain any character and is refused."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return None if "%" in text else parsed(text)


def _local(known: str) -> bool:
    address = parsed(known)
    return address is None or address.is_loopback  # a unix socket has no address


def limited_as(address: str) -> str:
    """Return the form of an address that limits are counted by: an IPv6 client has a whole /64 network."""
    return _network(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    found = parsed(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or address)  # an IPv4 address written as IPv6 is the same client

"""The addresses that a webhook may be called at: owners choose them, and this service is inside a network."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from chassis.errors import BadRequest
from chassis.security import networks
from chassis.security.networks import PORTS, Address, Network, Place, parsed

MAX_URL = 2_000
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")  # https://www.iana.org/assignments/ipv6-address-space
NEVER = (  # misleading, or not marked as special by the ipaddress module of every supported Python
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocols; clouds serve their metadata here
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's platform, which serves its virtual machines
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.IPv6Network("2001:db8::/32"),  # documentation
    ipaddress.IPv6Network("3fff::/20"),
    ipaddress.IPv6Network("2001::/23"),  # Teredo and other protocols, which may contain an IPv4 address
    ipaddress.IPv6Network("2002::/16"),  # 6to4, which contains one
)


class Refused(Exception):
    """The address may not be called; the text says why."""


def permitted(address: str, allow: Iterable[Network]) -> bool:
    """Return whether an address is public, or in one of the additionally allowed networks.

    Of IPv6 only global unicast is accepted: this refuses all forms that contain an IPv4 address (compatible, NAT64,
    6to4, Teredo) except mapped ones, which count as the address that they contain.
    """
    found = parsed(address)
    if found is None:
        return False
    if any(found in network for network in allow):
        return True
    return _is_public(found) and not any(found in network for network in NEVER)


def _is_public(found: Address) -> bool:
    good = found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)
    return good and (found.version == 4 or found in PUBLIC_IPV6)


def checked(url: str, allow: Iterable[Network], *, https_only: bool) -> SplitResult:
    """Return a URL's parts; raise BadRequest when it can never be called. Names are looked up at each call."""
    split = _parts(url)
    if split.scheme not in (("https",) if https_only else PORTS):
        raise _wrong(f"must begin with https://{'' if https_only else ' or http://'}")
    if not split.hostname or split.username is not None or split.password is not None or split.fragment:
        raise _wrong("must have a host, and no user, password or fragment")
    if parsed(split.hostname) and not permitted(split.hostname, allow):
        raise _wrong("must lead to a public address, or one in WEBHOOK_ALLOW")
    return split


def resolved(split: SplitResult, allow: Iterable[Network]) -> list[Place]:
    """Return the permitted addresses of the URL's host to connect to; raise Refused when there are none."""
    port, allowed = split.port or PORTS[split.scheme], tuple(allow)
    try:
        good = networks.resolved(split.hostname, port, lambda address: permitted(address, allowed))
    except OSError:
        raise Refused("its host has no address") from None
    if not good:
        raise Refused("its host has no public address and none in WEBHOOK_ALLOW")
    return good


def shown(url: str) -> str:
    """Return a URL for logs, without its path and query, which receivers often use as a secret."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"


def _parts(url: str) -> SplitResult:
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _wrong(f"may have at most {MAX_URL} characters: ASCII, without spaces or backslashes")
    try:
        split = urlsplit(url)
        _ = split.port  # raises ValueError for an invalid port
    except ValueError:
        raise _wrong("must be a URL") from None
    return split


def _wrong(rule: str) -> BadRequest:
    return BadRequest(f"The address of a webhook {rule}.", code="invalid_url")

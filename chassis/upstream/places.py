"""The addresses that requests may be passed on to: whoever names one must not reach other services through this one."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import SplitResult, urlsplit

from chassis.errors import BadRequest
from chassis.security import networks as lists
from chassis.security.networks import PORTS, Address, Network, Place

SPECIAL: tuple[Network, ...] = (  # clouds serve metadata with credentials at some of them
    IPv4Network("169.254.0.0/16"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("100.100.100.200/32"),
    IPv4Network("0.0.0.0/8"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),
    IPv6Network("fd20:ce::/32"),
    IPv6Network("ff00::/8"),
    IPv6Network("::/128"),
)
EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"), IPv6Network("2001::/32"), IPv6Network("::/96"))


class Refused(OSError):
    """The host has no permitted address."""


def permitted(address: str, networks: Iterable[Network]) -> bool:
    """Return whether an address is in the networks; a special one must be in a network within its special range."""
    found = _parsed(address)
    if found is None or (found.version == 6 and not found.is_loopback and any(found in net for net in EMBEDDING)):
        return False
    special = [network for network in SPECIAL if found in network]
    listed = [network for network in networks if found in network]
    return any(all(_within(network, of) for of in special) for network in listed)


def checked(url: str) -> SplitResult:
    """Return a base URL's parts; raise BadRequest when it is not one."""
    try:
        split = urlsplit(url)
        _ = split.port
    except ValueError:
        raise _wrong("must be a URL") from None
    if split.scheme not in PORTS or not split.hostname:
        raise _wrong("must begin with http:// or https:// and a host")
    if split.username is not None or split.query or split.fragment or not (url.isascii() and url.isprintable()):
        raise _wrong("must have no user, query or fragment, and ASCII characters only")
    return split


def check_base_url(url: str, networks: Iterable[Network]) -> None:
    """Raise BadRequest when no request can go to a base URL: it is malformed, or an address outside the networks.

    A host's name is looked up at each connection.
    """
    host = checked(url).hostname or ""
    if _parsed(host) is not None and not permitted(host, networks):
        raise _wrong("must be at an address in the permitted networks")


def same_host(url: str, other: str) -> bool:
    """Return whether two base URLs have the same scheme, host and port: a key for one may be sent to the other."""
    return _origin(url) == _origin(other)


def resolved(host: str, port: int, networks: Iterable[Network]) -> list[Place]:
    """Return the permitted addresses of a host to connect to; raise Refused when there are none."""
    try:
        good = lists.resolved(host, port, lambda address: permitted(address, networks))
    except OSError:
        raise Refused("its host has no address") from None
    if not good:
        raise Refused("its host has no address in the permitted networks")
    return good


def _origin(url: str) -> tuple[str, str | None, int]:
    split = checked(url)
    return split.scheme, split.hostname, split.port or PORTS[split.scheme]


def _within(network: Network, outer: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(outer, IPv4Network):
        return network.subnet_of(outer)
    return isinstance(network, IPv6Network) and isinstance(outer, IPv6Network) and network.subnet_of(outer)


def _parsed(text: str) -> Address | None:
    """Return an address without its zone (`fe80::1%eth0`)."""
    return lists.parsed(text.partition("%")[0])


def _wrong(rule: str) -> BadRequest:
    return BadRequest(f"base_url {rule}.", code="invalid_url")

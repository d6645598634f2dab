"""Checks whether an address belongs to a list of networks, and looks hosts up for connections to permitted ones."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")  # a Host header: name, port
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Place = tuple[socket.AddressFamily, tuple[Any, ...]]  # a family, and the argument of `connect`
PORTS = {"http": 80, "https": 443}


def parsed(address: str | None) -> Address | None:
    """Return the parsed address, or None when the text is not one; an IPv4 address written as IPv6 becomes IPv4."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def allowed(address: str | None, networks: Iterable[Network]) -> bool:
    """Return whether the address is in one of the networks."""
    found = parsed(address)
    return found is not None and any(found in network for network in networks)


def resolved(host: str | None, port: int, permitted: Callable[[str], bool]) -> list[Place]:
    """Return the permitted addresses of a host to connect to, perhaps none; raise OSError when it has no address.

    A connection uses exactly these. Looking the name up again could return others (DNS rebinding).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(str(error)) from None
    return [(family, place) for family, _, _, _, place in found if permitted(str(place[0]))]

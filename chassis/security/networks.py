"""Checks whether an address belongs to a list of networks."""

import ipaddress
import re
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")  # a Host header: name, port
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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

"""Networks that are, in effect, the whole internet."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

PUBLIC_IPV6 = IPv6Network("2000::/3")  # https://www.iana.org/assignments/ipv6-address-space


def covers_internet(networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Return whether networks hold, together, at least half of the addresses of IPv4, or of public ones of IPv6."""
    listed = list(networks)
    old = collapse_addresses(one for one in listed if isinstance(one, IPv4Network))
    new = collapse_addresses(_public(one) for one in listed if isinstance(one, IPv6Network))
    public = sum(one.num_addresses for one in new if one.subnet_of(PUBLIC_IPV6))
    return 2 * sum(one.num_addresses for one in old) >= 2**32 or 2 * public >= PUBLIC_IPV6.num_addresses


def _public(network: IPv6Network) -> IPv6Network:
    return PUBLIC_IPV6 if network.supernet_of(PUBLIC_IPV6) else network

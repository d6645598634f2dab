"""The types of settings: each parses an environment variable, and says in a sentence why it refuses a value."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from chassis.base import cron
from chassis.base.cores import usable_cores
from chassis.limits import Rate

ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+)://([\w-][\w.-]*+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?", re.ASCII)
MAX_AUTO_WORKERS = 64
USUAL_PORTS = {"http": ":80", "https": ":443"}


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.startswith("[") and value.endswith("]"):
        raise ValueError("is a JSON list: write the values without brackets and quotes, as in a,b")
    return [part.strip() for part in value.split(",") if part.strip()]


def _network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"holds {value!r}, which is not a network such as 10.0.0.0/8") from None


def _proxy(value: object) -> object:
    return value if value == "unix" else _network(value)


def _origin(value: str) -> str:
    """Return an origin in browsers' form: lower case, without the default port or a trailing slash."""
    if value == "*":
        return value
    found = ORIGIN.fullmatch(value)
    if not found:
        raise ValueError(f"holds {value!r}, which is not an origin such as https://app.example.org")
    scheme, host, port = (part.lower() for part in found.groups(default=""))
    return f"{scheme}://{host}{'' if port == USUAL_PORTS.get(scheme) else port}"


def _rate(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


def _time_zone(value: str) -> str:
    cron.zone(value)
    return value


def _workers(value: object) -> object:
    return min(usable_cores(), MAX_AUTO_WORKERS) if value == "auto" else value


Cron = Annotated[str, AfterValidator(cron.check)]
"""A cron expression; empty or `off` is never."""
TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""The name of a time zone, such as `Europe/Berlin`."""
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
"""A network, such as `10.0.0.0/8`."""
Proxy = Annotated[Literal["unix"] | IPv4Network | IPv6Network, BeforeValidator(_proxy)]
"""A network, or `unix` for a Unix socket."""
CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Strings, separated by commas."""
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
"""Origins such as `https://app.example.org`, separated by commas; `*` is any."""
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
"""Networks, separated by commas."""
Proxies = Annotated[tuple[Proxy, ...], BeforeValidator(_split)]
"""Networks or `unix`, separated by commas."""
Rates = Annotated[tuple[Annotated[Rate, BeforeValidator(_rate)], ...], BeforeValidator(_split)]
"""Rates such as `600 per minute`, separated by commas."""
Workers = Annotated[int, BeforeValidator(_workers)]
"""A number of workers, or `auto` for the number of usable cores."""

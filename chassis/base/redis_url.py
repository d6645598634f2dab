"""Parses REDIS_URL in one place: the settings ask for its problem, and every connection is made from its parts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

KINDS = {"redis": "one", "redis+sentinel": "sentinel", "redis+cluster": "cluster", "unix": "socket"}
TLS = {"rediss": "redis", "rediss+sentinel": "redis+sentinel", "rediss+cluster": "redis+cluster"}
FORMS = (
    "redis://[user:password@]host[:port][/number], redis+sentinel://host:port,host:port/number/name, "
    "redis+cluster://host:port,host:port (rediss for TLS), or unix:///path"
)
PORTS = {"one": 6379, "cluster": 6379, "sentinel": 26379}
CA_FILE, CHECK, SENTINEL_PASSWORD = "ssl_ca_certs", "ssl_cert_reqs", "sentinel_password"
OPTIONS = {CA_FILE, CHECK, SENTINEL_PASSWORD}

Host = tuple[str, int]


class BadRedisUrl(ValueError):
    """A URL that cannot be used; the message is the end of a sentence about REDIS_URL."""


@dataclass(frozen=True)
class RedisUrl:
    """The parts of a URL; `name` is that of the server that Sentinel watches, `path` that of a unix socket."""

    kind: str
    hosts: tuple[Host, ...] = ()
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    name: str = ""
    path: str = ""
    ca_file: str = ""
    checks_certificate: bool = True
    sentinel_password: str | None = field(default=None, repr=False)


def parse(url: str) -> RedisUrl:
    """Return the parts of a URL, or raise BadRedisUrl."""
    try:
        split = urlsplit(url.strip())
        options = dict(parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query)))
    except ValueError:
        raise BadRedisUrl(f"must look like {FORMS}") from None
    scheme = TLS.get(split.scheme, split.scheme)
    if scheme not in KINDS:
        raise BadRedisUrl(f"must look like {FORMS}")
    kind, tls = KINDS[scheme], split.scheme in TLS
    user, _, hosts = split.netloc.rpartition("@")
    username, _, password = user.partition(":")
    database, name = _place(kind, split)
    return RedisUrl(
        kind=kind,
        hosts=() if kind == "socket" else tuple(_host(text, PORTS[kind]) for text in hosts.split(",")),
        tls=tls,
        username=unquote(username) or None,
        password=unquote(password) or None,
        database=database,
        name=name,
        path=unquote(split.path) if kind == "socket" else "",
        **_options(options, tls=tls),
    )


def problem(url: str) -> str | None:
    """Return the problem of a URL, as the end of a sentence about REDIS_URL, or None."""
    try:
        parsed = parse(url)
    except BadRedisUrl as error:
        return str(error)
    if len(parsed.hosts) > 1 and parsed.kind == "one":
        return "names several servers: begin it with redis+sentinel:// or redis+cluster://"
    if parsed.ca_file and not Path(parsed.ca_file).is_file():
        return f"names the certificates {parsed.ca_file}, which is no file"
    return None


def _host(text: str, usual: int) -> Host:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, port = (host, port) if colon else (text, str(usual))
    if not host or not _is_number(port) or not 0 < int(port) < 65_536:
        raise BadRedisUrl(f"needs a host and a port from 1 to 65535 for each server, such as {FORMS}")
    return unquote(host.strip("[]")), int(port)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _place(kind: str, split: SplitResult) -> tuple[int, str]:
    """Return the number of the database and the name of Sentinel's server."""
    if kind == "socket":
        if not split.path.strip("/"):
            raise BadRedisUrl("must name a socket, such as unix:///run/redis/redis.sock")
        return 0, ""
    number, _, name = split.path.strip("/").partition("/")
    if kind == "sentinel" and not name:
        raise BadRedisUrl("must end with /number/name, the name being that of the server which Sentinel watches")
    if (name and kind != "sentinel") or (number and not _is_number(number)):
        raise BadRedisUrl("must have the number of a database after the host, such as redis://host:6379/0")
    if kind == "cluster" and int(number or 0):
        raise BadRedisUrl("must not have the number of a database, because a cluster has only one")
    return int(number or 0), unquote(name)


def _options(given: dict[str, str], *, tls: bool) -> dict[str, Any]:
    if unknown := sorted(given.keys() - OPTIONS):
        raise BadRedisUrl(f"has the unknown option {unknown[0]}; there are {', '.join(sorted(OPTIONS))}")
    if given.get(CHECK, "required") not in ("required", "none"):
        raise BadRedisUrl(f"may have {CHECK}=required or none")
    if not tls and given.keys() & {CA_FILE, CHECK}:
        raise BadRedisUrl("has options for TLS: begin it with rediss")
    return {
        "ca_file": given.get(CA_FILE, ""),
        "checks_certificate": given.get(CHECK) != "none",
        "sentinel_password": given.get(SENTINEL_PASSWORD),
    }

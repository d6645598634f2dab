"""Tells a Redis that is away from one that will never work with this URL, before the service starts."""

import contextlib
import socket

from chassis.base import redis_client
from chassis.base.redis_url import Host, RedisUrl, parse
from chassis.errors import BootError

SECONDS = 1.0


def check(url: str, channel: str) -> str | None:
    """Return why Redis does not answer, or None if it does.

    Raises BootError with one sentence for what does not pass by itself: TLS on one side only, an unknown certificate,
    a wrong password, or missing rights.
    """
    from redis.exceptions import (
        AuthenticationError,
        NoPermissionError,
        RedisClusterException,
        RedisError,
        ResponseError,
    )

    try:
        found = redis_client.client(url, seconds=SECONDS)
        found.publish(channel, "{}")  # which every process ignores
        found.get(f"{channel}:limits:")
    except (AuthenticationError, NoPermissionError) as error:
        raise BootError(
            f"Redis refuses REDIS_URL's user ({error}): check the password, and the rights to &{channel} and "
            f"~{channel}:limits:* (commands +@all or at least +@connection +@pubsub +@read +@write +@scripting +time)."
        ) from None
    except ResponseError as error:
        if "DB index" not in str(error):
            return f"{type(error).__name__}: {error}"
        raise BootError(f"Redis refuses REDIS_URL ({error}): check the number of the database.") from None
    except (RedisError, RedisClusterException, OSError) as error:
        return _explained(parse(url), error)
    return None


def _explained(where: RedisUrl, error: Exception) -> str:
    """Return the reason of a failed connection, or raise BootError if it will not pass by itself."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        raise BootError(
            f"REDIS_URL's server has a certificate that is not trusted ({error}): name its issuer's with "
            "?ssl_ca_certs=FILE."
        ) from None
    plain = any(_answers_without_tls(host) for host in where.hosts)
    if where.tls and plain:
        raise BootError(
            "REDIS_URL begins with rediss, but its server answers without TLS: turn TLS on there, or write redis."
        ) from None
    return f"{type(error).__name__}: {error}"


def _answers_without_tls(host: Host) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(host, SECONDS) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(1) in (b"+", b"-")
    return False

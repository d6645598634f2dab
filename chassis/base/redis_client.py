"""Clients of Redis: a server, the one that Sentinel names, or a cluster. None of them waits long, none tries again."""

from typing import Any

from chassis.base.redis_url import RedisUrl, parse


def client(url: str, *, seconds: float, max_connections: int = 2) -> Any:
    """Return a client that gives up after `seconds`; a cluster is asked for its servers at once, others later.

    Raises the library's errors, and BadRedisUrl.
    """
    import redis  # an extra, see pyproject.toml
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    where = parse(url)
    options = {**_security(where), "socket_timeout": seconds, "retry": Retry(NoBackoff(), 0)}
    if where.kind == "socket":
        own = {"connection_class": redis.UnixDomainSocketConnection, "path": where.path}
        return _pooled(where, options | own, seconds, max_connections)
    options["socket_connect_timeout"] = seconds
    if where.kind == "cluster":
        return _cluster(where, options)
    if where.kind == "sentinel":
        return _watched(where, options, max_connections)
    options |= {"host": where.hosts[0][0], "port": where.hosts[0][1]}
    if options.pop("ssl", False):
        options["connection_class"] = redis.SSLConnection
    return _pooled(where, options, seconds, max_connections)


def _pooled(where: RedisUrl, options: dict[str, Any], seconds: float, max_connections: int) -> Any:
    import redis

    limits = {"max_connections": max_connections, "timeout": seconds}
    pool = redis.BlockingConnectionPool(db=where.database, **limits, **options)  # type: ignore[no-untyped-call]
    return redis.Redis(connection_pool=pool)


def _cluster(where: RedisUrl, options: dict[str, Any]) -> Any:
    from redis.cluster import ClusterNode, RedisCluster

    nodes = [ClusterNode(*host) for host in where.hosts]  # type: ignore[no-untyped-call]
    return RedisCluster(startup_nodes=nodes, **options)


def _watched(where: RedisUrl, options: dict[str, Any], max_connections: int) -> Any:
    from redis.sentinel import Sentinel

    theirs = {**options, "username": None, "password": where.sentinel_password}
    watchers = Sentinel(where.hosts, sentinel_kwargs=theirs, **options)  # type: ignore[no-untyped-call]
    options = {"db": where.database, "max_connections": max_connections}
    return watchers.master_for(where.name, **options)  # type: ignore[no-untyped-call]


def _security(where: RedisUrl) -> dict[str, Any]:
    found: dict[str, Any] = {"username": where.username, "password": where.password}
    if where.tls:
        found |= {"ssl": True, "ssl_cert_reqs": "required" if where.checks_certificate else "none"}
        found |= {"ssl_check_hostname": where.checks_certificate, "ssl_ca_certs": where.ca_file or None}
    return found

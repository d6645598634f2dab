"""The addresses that the service listens on, and gunicorn's workers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from chassis.base import redis_url
from chassis.settings import packages
from chassis.settings.section import Problem, Section
from chassis.settings.types import CommaList, Workers

if TYPE_CHECKING:
    from chassis.settings.core import Settings


class ServerSettings(Section):
    """Server"""

    host: str = Field("127.0.0.1", description="The address to listen on; `0.0.0.0` for all.")
    port: int = Field(5000, ge=1, le=65535, description="The port to listen on.")
    async_mode: Literal["eventlet", "gevent", "threading"] = Field(
        "eventlet",
        description="How sockets are served: eventlet or gevent green threads, which are equally fast, or real "
        "threads.",
    )
    socket_transports: CommaList = Field(
        ("polling", "websocket"), description="Socket.IO transports to offer: `polling`, `websocket`."
    )
    max_upload_bytes: int = Field(
        20_000_000, ge=1_000, description="Maximum request body of a route that accepts files."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis for events and limits that several machines share; one machine needs none. "
        "`redis://[user:password@]host:6379/0`, `rediss://` for TLS (`?ssl_ca_certs=FILE`), `redis+sentinel://` or "
        "`redis+cluster://`.",
    )
    require_redis_in_production: bool = Field(
        False, description="In production, refuse to start without REDIS_URL or when Redis does not answer."
    )
    gunicorn_workers: Workers = Field(
        1,
        ge=1,
        le=64,
        description="Number of worker processes; `auto` for one per usable core.",
    )
    gunicorn_threads: int = Field(
        200,
        ge=2,
        le=10_000,
        description="Threads per worker under ASYNC_MODE=threading; each socket uses one.",
    )
    gunicorn_timeout_seconds: int = Field(
        30, ge=1, description="A worker that has not responded for this long is replaced."
    )
    gunicorn_graceful_timeout_seconds: int = Field(
        10, ge=1, description="How long a stopping worker has to finish its work."
    )
    drain_delay_seconds: float = Field(
        0,
        ge=0,
        le=300,
        description="How long a stopping worker keeps serving while it reports not ready, so that load balancers "
        "notice (eventlet and gevent).",
    )
    hub_stall_seconds: float = Field(
        1.0,
        ge=0,
        description="Code that blocks the event loop for this long is logged with its stack; 0 turns this off.",
    )
    gunicorn_max_requests: int = Field(
        0, ge=0, description="A worker is replaced after this many requests; 0 never replaces it."
    )
    gunicorn_worker_connections: int = Field(
        10_000,
        ge=10,
        description="Maximum connections per worker; the limit of open files is raised to fit.",
    )

    def needs_redis(self, *, production: bool) -> bool:
        """Return whether the service must not start without Redis."""
        return self.require_redis_in_production and production

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Yield what is not allowed in production."""
        if self.needs_redis(production=settings.production) and not self.redis_url.get_secret_value():
            yield "REDIS_URL", "is missing, and REQUIRE_REDIS_IN_PRODUCTION is on"

    def problems(self) -> Iterable[Problem]:
        """Yield unknown transports, and what several workers require."""
        unknown = set(self.socket_transports) - {"polling", "websocket"}
        redis = self.redis_url.get_secret_value()
        if unknown or not self.socket_transports:
            yield "SOCKET_TRANSPORTS", "must list polling, websocket or both"
        if self.gunicorn_workers > 1 and "polling" in self.socket_transports and self.async_mode == "threading":
            yield (
                "GUNICORN_WORKERS",
                "above 1 needs SOCKET_TRANSPORTS=websocket under ASYNC_MODE=threading, because polls would reach other "
                "workers",
            )
        if redis and (problem := redis_url.problem(redis)):
            yield "REDIS_URL", problem
        if redis:
            yield from packages.needed("REDIS_URL", "redis")

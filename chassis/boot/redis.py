"""The step that looks for Redis."""

import structlog

from chassis.base.service import current as service
from chassis.db import Database
from chassis.errors import BootError
from chassis.settings import Settings

log = structlog.get_logger("chassis.boot")


def check_redis(settings: Settings, _database: Database) -> str:
    """Look for Redis, if it is used; one that is away is waited for while the service runs, unless it is required."""
    url = settings.redis_url.get_secret_value()
    if not url:
        return "off"
    from chassis.base.redis_check import check  # an extra

    reason = check(url, service().slug)
    if reason is None:
        return "reachable"
    if settings.needs_redis(production=settings.production):
        raise BootError(f"Redis does not answer ({reason}), and REQUIRE_REDIS_IN_PRODUCTION is on.")
    log.warning("redis_down", reason=reason, hint="Events reach other machines when Redis is back.")
    return "down"

"""What each worker does once a second: it stores the log, follows the registry, and checks the backends."""

import time

from app.features.gateway import calls, health, live, store
from app.features.gateway.gateway import Gateway
from app.features.gateway.settings import GatewaySettings
from chassis.db import db
from chassis.hooks import Hooks

SECONDS = 1.0


def connect(hooks: Hooks) -> None:
    """Make the gateway of this worker, keep it current, and add its metrics."""
    made = Gateway(hooks.settings.section(GatewaySettings), hooks.settings.gunicorn_workers)
    hooks.keep(made)
    hooks.every(SECONDS, "gateway_upkeep", lambda: tick(made))
    hooks.gauge("gateway_in_flight", "Calls to a backend under way.", ["backend"], made.pool.in_flight)
    hooks.gauge("gateway_backend_up", "Whether a backend gets calls.", ["backend"], made.pool.up)


def tick(made: Gateway) -> None:
    """Do it once."""
    calls.waiting.store(db)
    made.ready()
    now = time.time()
    if any(one.spec.about.lease_until and one.spec.about.lease_until < now for one in made.pool):
        db.write(lambda conn: store.remove_lapsed(conn, now))
    made.sync()
    health.check_due(made)
    live.tell(made)

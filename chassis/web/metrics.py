"""/metrics, for the networks in METRICS_ALLOW."""

import platform

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess

from chassis.base.concurrency import current_mode
from chassis.base.environment import multiprocess_metrics
from chassis.base.service import CHASSIS_VERSION
from chassis.base.service import current as service
from chassis.errors import Forbidden
from chassis.observability.collectors import install
from chassis.observability.metrics import BUILD_INFO
from chassis.security.guard import public
from chassis.security.networks import allowed
from chassis.web import facts, health
from chassis.wiring import current_settings

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Return all metrics in Prometheus' text format."""
    settings = current_settings()
    if not allowed(request.remote_addr, settings.metrics_allow):
        raise Forbidden("Metrics are open only to the networks in METRICS_ALLOW.")
    about = (service().slug, service().version, CHASSIS_VERSION, platform.python_version(), current_mode())
    BUILD_INFO.labels(*about).set(1)
    health.observe()  # keeps app_ready current where nothing else runs the checks
    return Response(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """Return the registry to read: this process's, or all workers' files and the database's figures."""
    if not multiprocess_metrics():
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(facts.collector)
    return registry


install(facts.collector)

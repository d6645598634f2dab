"""Logs, metrics and traces.

A feature logs with `structlog.get_logger(__name__)` and declares its metrics with `prometheus_client`; spans of a trace
are begun with `tracing`. Nothing of weight is imported here, since gunicorn's master imports this package before its
workers patch the standard library.
"""

from chassis.observability import tracing

__all__ = ["tracing"]

"""The spans behind chassis.observability.tracing: OpenTelemetry, exported by OTLP over HTTP."""

import atexit
import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, g, request
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars

from chassis.base.service import current as service
from chassis.observability.requests import METHODS, QUIET_PATHS
from chassis.observability.scrub import Scrubber
from chassis.server.patches import for_opentelemetry
from chassis.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)
FLUSH_SECONDS = 2.0
KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}
FAILED = 500
Attributes = Mapping[str, Any]
propagator = TraceContextTextMapPropagator()


class Spans:
    """Creates spans without secrets, and exports them in batches from a thread (green in a patched process)."""

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)  # `Sender` reports failures
        self._scrubber = Scrubber(settings)
        self._waiting = BatchSpanProcessor(_sender(settings))
        provider = TracerProvider(resource=_resource(settings), shutdown_on_exit=False)
        provider.add_span_processor(self._waiting)
        self._tracer = provider.get_tracer("chassis", service().version)
        atexit.register(self.flush)

    def flush(self) -> None:
        """Export pending spans and shut down."""
        for_opentelemetry.shut_down(self._waiting, FLUSH_SECONDS)

    @contextmanager
    def span(self, name: str, attributes: Attributes, *, context: Context | None = None) -> Iterator[Any]:
        """Run a block in a span; `kind` among the attributes sets the span's kind."""
        given = dict(attributes)
        kind = KINDS.get(given.pop("kind", ""), SpanKind.INTERNAL)
        begin = self._tracer.start_as_current_span
        clean = self._scrubber.clean(given)
        with begin(name, context, kind, clean, record_exception=False, set_status_on_exception=False) as one:
            try:
                yield one
            except BaseException as error:
                self.failed(one, error)
                raise

    def child(self, name: str, attributes: Attributes) -> AbstractContextManager[Any]:
        """Start a child span if there is a current span."""
        inside = trace.get_current_span().get_span_context().is_valid
        return self.span(name, attributes) if inside else _nothing()

    def query(self, kind: str, work: Callable[..., Any]) -> AbstractContextManager[Any]:
        """Start a span for a database operation if there is a current span."""
        name = getattr(work, "__qualname__", type(work).__name__)
        return self.child(f"database {kind}", {"kind": "client", "code.function.name": name})

    def note(self, attributes: Attributes) -> None:
        """Add attributes to the current span."""
        trace.get_current_span().set_attributes(self._scrubber.clean(dict(attributes)))

    def headers(self) -> dict[str, str]:
        """Return the `traceparent` header of the current span."""
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        return carrier

    def failed(self, one: Any, error: BaseException) -> None:
        """Mark a span as failed by an exception; its stack trace and secrets are not sent."""
        one.set_attribute("error.type", type(error).__qualname__)
        one.set_status(Status(StatusCode.ERROR, self._scrubber.clean(str(error))[:500]))

    def around_events(self, dispatch: Callable[..., Any]) -> Callable[..., Any]:
        """Return a dispatcher that runs each socket event in a span; refusals and exceptions are the span's errors."""

        def run(event: str, namespace: str, handler: Any, args: Any) -> Any:
            attributes = {"kind": "server", "messaging.system": "socketio", "messaging.operation.name": event}
            with self.span(f"socket {event}", attributes, context=Context()) as one:
                answer = dispatch(event, namespace, handler, args)
                error = answer.get("error") if isinstance(answer, dict) and answer.get("ok") is False else None
                if isinstance(error, dict):
                    one.set_attribute("error.type", str(error.get("code")))
                    one.set_status(Status(StatusCode.ERROR))
                return answer

        return run


def trace_requests(app: Flask, spans: Spans) -> None:
    """Run each request but health checks in a span; it joins the caller's trace, if the request names one."""
    pages: WSGIApplication = app.wsgi_app

    def call(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith(QUIET_PATHS):
            return pages(environ, start_response)
        context = propagator.extract({"traceparent": environ.get("HTTP_TRACEPARENT", "")}, Context())
        known = method if method in METHODS else "_OTHER"
        attributes = {"kind": "server", "http.request.method": known, "url.path": path}
        with spans.span(known, attributes, context=context):
            return pages(environ, start_response)

    app.wsgi_app = call  # type: ignore[method-assign]
    app.before_request(_name)
    app.after_request(_status)


def _name() -> None:
    """Name the span after the route, and add the trace id to the log lines."""
    one, rule = trace.get_current_span(), request.url_rule
    if rule is not None:
        one.update_name(f"{request.method} {rule.rule}")
        one.set_attribute("http.route", rule.rule)
    one.set_attribute("request_id", g.get("request_id", ""))
    bind_contextvars(trace_id=trace.format_trace_id(one.get_span_context().trace_id))


def _status(response: Any) -> Any:
    one = trace.get_current_span()
    one.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= FAILED:
        one.set_status(Status(StatusCode.ERROR))
    return response


def _resource(settings: Settings) -> Resource:
    return Resource.create(
        {
            "service.name": settings.otel_service_name or service().slug,
            "service.version": service().version,
            "service.instance.id": f"{platform.node()}:{os.getpid()}",
            "deployment.environment.name": settings.sentry_environment or settings.app_env,
        }
    )


def _sender(settings: Settings) -> "Sender":
    endpoint = settings.otel_exporter_otlp_endpoint.rstrip("/") + "/v1/traces"
    pairs = (pair.partition("=") for pair in settings.otel_exporter_otlp_headers.get_secret_value().split(","))
    return Sender(endpoint=endpoint, headers={name.strip(): value.strip() for name, _, value in pairs if name.strip()})


class Sender(OTLPSpanExporter):
    """Logs once that the collector is unreachable and once that it is back; the SDK would log it for every batch."""

    _failing = False

    def export(self, spans: Any) -> SpanExportResult:
        """Send a batch; a batch that cannot be sent within the SDK's time limit is dropped."""
        result = super().export(spans)
        failing = result is not SpanExportResult.SUCCESS
        if failing != self._failing:
            self._failing = failing
            log.warning("traces_not_sent" if failing else "traces_sent_again", endpoint=self._endpoint)
        return result


@contextmanager
def _nothing() -> Iterator[None]:
    yield None

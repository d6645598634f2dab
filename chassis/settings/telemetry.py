"""Where errors and traces are sent."""

from collections.abc import Iterable

from pydantic import Field, SecretStr

from chassis.settings import packages, urls
from chassis.settings.section import Problem, Section


class TelemetrySettings(Section):
    """Errors and traces"""

    sentry_dsn: SecretStr = Field(
        SecretStr(""), description="The DSN of Sentry or a compatible service, for error reports; empty turns them off."
    )
    sentry_environment: str = Field("", description="The environment named in error reports; by default APP_ENV.")
    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/]+.*)?$",
        description="The OTLP/HTTP endpoint for traces, such as `http://127.0.0.1:4318`; empty turns them off.",
    )
    otel_exporter_otlp_headers: SecretStr = Field(
        SecretStr(""), description="Headers of the requests to that endpoint, such as `api-key=...,other=...`."
    )
    otel_service_name: str = Field("", description="The service's name in traces; by default its slug.")

    def problems(self) -> Iterable[Problem]:
        """Yield an unusable address, and missing packages."""
        if dsn := self.sentry_dsn.get_secret_value():
            address = urls.parts(dsn)
            if not (address.username and address.path.strip("/")):
                yield "SENTRY_DSN", "must look like https://KEY@HOST/PROJECT"
            yield from packages.needed("SENTRY_DSN", "sentry-sdk")
        if self.otel_exporter_otlp_endpoint:
            yield from packages.needed("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry-exporter-otlp-proto-http")

"""Every setting: its environment variable, type, default and help, and the rules between them."""

import ipaddress
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.base import cron, database_url
from chassis.base.environment import (
    BASE_DIR,
    EPHEMERAL_SECRET_KEY,
    inherited_secret_key,
    pass_to_children,
    read_environment,
)
from chassis.errors import SettingsError
from chassis.limits import Rate

WELL_KNOWN_KEYS = (
    "changeme",
    "change-me",
    "secret",
    "password",
    "your-secret",
    "example",
    "insecure",
    "default",
)
MIN_SECRET_KEY_CHARACTERS = 32
CONTACT = re.compile(r"(mailto:)?[^@\s:/]+@[^@\s:/.]+(\.[^@\s:/.]+)++|https://[!-~]+|tel:\+?[\d-]+")

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*+|\[[0-9A-Fa-f:.]+\]")
ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+)://([\w-][\w.-]*+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?", re.ASCII)
USUAL_PORTS = {"http": ":80", "https": ":443"}
PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")  # https://www.iana.org/assignments/ipv6-address-space
BUCKET = re.compile(r"s3://[^/@?]+(/|$)")


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: object) -> object:
    try:
        return ipaddress.ip_network(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"holds {value!r}, which is not a network such as 10.0.0.0/8") from None


def _proxy(value: object) -> object:
    return value if value == "unix" else _network(value)


def _origin(value: str) -> str:
    """Return an origin as browsers write it: in lower case, without the usual port and a slash at the end."""
    if value == "*":
        return value
    found = ORIGIN.fullmatch(value)
    if not found:
        raise ValueError(f"holds {value!r}, which is not an origin such as https://app.example.org")
    scheme, host, port = (part.lower() for part in found.groups(default=""))
    return f"{scheme}://{host}{'' if port == USUAL_PORTS.get(scheme) else port}"


def _rate(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


def _database_url(value: SecretStr) -> SecretStr:
    return SecretStr(database_url.normal(value.get_secret_value()))


def _time_zone(value: str) -> str:
    cron.zone(value)
    return value


Cron = Annotated[str, AfterValidator(cron.check)]  # a cron expression; empty or `off` is never
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]
Proxy = Annotated[Literal["unix"] | ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_proxy)]
CommaList = Annotated[tuple[str, ...], BeforeValidator(_split)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_split)]
Proxies = Annotated[tuple[Proxy, ...], BeforeValidator(_split)]
Rates = Annotated[tuple[Annotated[Rate, BeforeValidator(_rate)], ...], BeforeValidator(_split)]
S = TypeVar("S", bound="Section")


class Section(BaseSettings):
    """A group of settings; a feature declares its own as a subclass in its `settings.py`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load_settings` alone, which knows every layer."""
        return (init_settings,)

    def problems(self) -> list[tuple[str, str]]:
        """Return what is wrong between the settings, as (NAME, sentence)."""
        return []

    def problems_with(self, settings: "Settings") -> list[tuple[str, str]]:
        """Return what is wrong between a feature's settings and the core's, as (NAME, sentence)."""
        return []


class ApplicationSettings(Section):
    """Application"""

    app_env: Literal["development", "production", "test"] = Field(
        "development", description="What this instance is for. `production` refuses weak settings."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs sessions; 32 random characters or more. Made anew at each start in development.",
    )
    secret_key_fallbacks: SecretStr = Field(
        SecretStr(""), description="Earlier SECRET_KEYs whose cookies still count, separated by commas; for a rotation."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least level that is logged."
    )
    log_format: Literal["", "console", "json"] = Field(
        "", description="`console` or `json`; by default `json` in production and `console` elsewhere."
    )
    log_file: str = Field(
        "", description="A file for the log instead of standard output; SIGUSR1 opens it anew (deploy/logrotate)."
    )
    debug_pages: bool = Field(
        False, description="Show tracebacks on error pages and read templates anew; refused in production."
    )
    metrics_allow: Networks = Field(
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        description="Networks that may read /metrics.",
    )
    cors_origins: Origins = Field(
        (), description="Other origins that may call /api and open sockets, for example `https://app.example.org`."
    )


class SecuritySettings(Section):
    """Security"""

    admin_api_key: SecretStr = Field(
        SecretStr(""), description="A key that may do everything; 32 random characters or more in production."
    )
    client_api_keys: SecretStr = Field(
        SecretStr(""), description="Keys that may submit and read, separated by commas; `flask keys` makes more."
    )
    require_client_api_key: bool | None = Field(
        None, description="Ask who it is before /api, pages and sockets; by default in production only."
    )
    public_read: bool = Field(False, description="Let anonymous visitors watch, where a key or an account is required.")
    recent_proof_seconds: int = Field(
        900,
        ge=0,
        description="A person who makes a key, downloads a backup, or changes a role or a second factor is asked for a "
        "password or second factor that was shown this long ago; 0 asks never. API keys are not asked.",
    )

    http_header_seconds: float = Field(
        10,
        ge=0,
        description="How long the head of a request may take from its first byte on; 0 is any time (eventlet).",
    )
    http_body_seconds: float = Field(
        20,
        ge=0,
        description="How long the body of a request may pause; it has to come at 500 bytes a second. "
        "0 is any time (eventlet).",
    )
    http_answer_seconds: float = Field(
        60,
        ge=0,
        description="How long a client may pause while it takes an answer; it has to take 500 bytes a second. "
        "0 is any time (eventlet).",
    )
    max_body_bytes: int = Field(
        65_536,
        ge=1_000,
        description="The largest request body of any kind, where a route does not say that it takes more.",
    )
    max_json_bytes: int = Field(
        2_000_000, ge=1_000, description="The largest JSON body of a route that takes rows; 10,000 rows need 1 MB."
    )
    upload_types: CommaList = Field(
        ("text/csv", "text/tab-separated-values", "text/plain"),
        description="Types of files that are accepted, judged by what is in them.",
    )
    admin_allow: Networks = Field(
        (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")),
        description="Networks that may see the admin pages, which also need the scope `admin`.",
    )
    security_contact: CommaList = Field(
        (), description="Who is told of a hole: e-mail addresses or https URLs for /.well-known/security.txt."
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[A-Za-z0-9._-]+(:[0-9]+)?/?)?$",
        description="Where people reach the service, as in `https://app.example.org`; links in invitations begin so.",
    )
    allowed_hosts: CommaList = Field(
        (),
        description="Names that the service answers by besides that of PUBLIC_URL, `.example.org` for all below it; "
        "others get 421. With neither set: every name in production, localhost and addresses in development.",
    )
    trusted_proxies: Proxies = Field(
        (),
        description="Networks of the proxies in front, and `unix` for a unix socket: only their X-Forwarded-For, "
        "X-Forwarded-Proto and X-Forwarded-Host count.",
    )
    rate_limit_default: Rates = Field(
        (Rate(600, 60),),
        description="Requests of a key, an account or else an address, as in `600 per minute, 5000 per day`; opening a "
        "socket counts for its address. Empty is no limit. Outside of production only where it is set.",
    )
    rate_limit_burst: Rates = Field(
        (Rate(30, 1),),
        description="The same in a short time; both count. Outside of production only where it is set.",
    )
    auth_failure_limit: Rates = Field(
        (Rate(20, 60),),
        description="Wrong keys from an address; above it no key that is new to that address is looked at. Empty is no "
        "limit.",
    )
    stale_key_days: int = Field(
        90,
        ge=0,
        description="Days without use after which `flask doctor` and the console name a key; 0 is never.",
    )


class ServerSettings(Section):
    """Server"""

    host: str = Field("127.0.0.1", description="The address to listen on; `0.0.0.0` for all.")
    port: int = Field(5000, ge=1, le=65535, description="The port to listen on.")
    async_mode: Literal["eventlet", "gevent", "threading"] = Field(
        "eventlet",
        description="What serves the sockets: green threads of eventlet or gevent, or real threads.",
    )
    socket_transports: CommaList = Field(
        ("polling", "websocket"), description="Socket.IO transports that are offered: `polling`, `websocket`."
    )
    max_upload_bytes: int = Field(
        20_000_000, ge=1_000, description="The largest request body of a route that takes files."
    )
    redis_url: SecretStr = Field(
        SecretStr(""), description="Redis for events and limits of several workers; needed only with more than one."
    )
    gunicorn_workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Worker processes. More than 1 needs REDIS_URL and SOCKET_TRANSPORTS=websocket.",
    )
    gunicorn_threads: int = Field(
        200,
        ge=2,
        le=10_000,
        description="Threads of a worker under ASYNC_MODE=threading; a socket holds one.",
    )
    gunicorn_timeout_seconds: int = Field(
        30, ge=1, description="A worker that gave no sign of life for this long is replaced."
    )
    gunicorn_graceful_timeout_seconds: int = Field(
        10, ge=1, description="How long a stopping worker may finish its work."
    )
    drain_delay_seconds: float = Field(
        0,
        ge=0,
        le=300,
        description="How long a stopping worker still serves, not ready, so that balancers see it (eventlet).",
    )
    hub_stall_seconds: float = Field(
        1.0, ge=0, description="Code that holds up all others for this long is logged with its stack; 0 is never."
    )
    gunicorn_max_requests: int = Field(0, ge=0, description="A worker is replaced after so many requests; 0 is never.")
    gunicorn_worker_connections: int = Field(
        10_000,
        ge=10,
        description="Connections a worker holds at once; the limit of open files is raised to fit.",
    )


class SocketSettings(Section):
    """Sockets"""

    socket_transport: Literal["fast", "stock"] = Field(
        "fast", description="`fast` is this project's own under ASYNC_MODE=eventlet, `stock` the libraries'."
    )
    socket_ping_interval_seconds: float = Field(
        25, gt=0, le=3600, description="How often a client is asked whether it is there."
    )
    socket_ping_timeout_seconds: float = Field(
        20, gt=0, le=3600, description="A client that has not answered by then is gone."
    )
    socket_handshake_seconds: float = Field(
        10, ge=0, description="How long a client may take to join a namespace, or to upgrade; 0 is no limit."
    )
    socket_max_message_bytes: int = Field(1_000_000, ge=1_000, description="The largest message a client may send.")
    socket_send_buffer_bytes: int = Field(
        4_000_000, ge=0, description="A client for which more than this waits is disconnected; 0 is no limit."
    )
    socket_send_buffer_messages: int = Field(
        10_000, ge=0, description="A client for which more messages wait is disconnected; 0 is no limit."
    )
    socket_receive_bytes: int = Field(
        4_000_000,
        ge=0,
        description="A client of which more than this waits for its handlers is disconnected; 0 is no limit.",
    )
    socket_receive_messages: int = Field(
        1_000,
        ge=0,
        description="A client of which more messages wait for their handlers is disconnected; 0 is no limit.",
    )
    socket_max_connections: int = Field(
        10_000, ge=0, description="Clients of a worker, more are answered 503; 0 is no limit."
    )
    socket_max_connections_per_address: int = Field(
        500,
        ge=0,
        description="Clients of a worker from one address, an IPv6 /64 being one; 0 is no limit, right behind a proxy "
        "that TRUSTED_PROXIES does not name. Outside of production only where it is set.",
    )
    socket_max_unjoined_per_address: int = Field(
        50,
        ge=0,
        description="Those among them that have joined no namespace yet; 0 is no limit. Outside of production only "
        "where it is set.",
    )
    socket_max_namespaces: int = Field(20, ge=0, description="Namespaces a client may join; 0 is no limit.")
    socket_max_rooms: int = Field(1_000, ge=0, description="Rooms of a namespace a client may be in; 0 is no limit.")
    socket_events_per_second: float = Field(
        0, ge=0, description="Events of one name a client may send in a second, over time; 0 is no limit."
    )
    socket_events_burst: int = Field(20, ge=1, description="Events of one name a client may send at once.")
    socket_events_per_second_per_principal: float = Field(
        0, ge=0, description="Events of a key, an account or else an address, over all its connections; 0 is no limit."
    )
    event_log_seconds: float = Field(
        120, ge=0, description="What was published is kept this long for clients that come back and missed it."
    )
    event_log_max_events: int = Field(500, ge=0, description="Published events that are kept for one room.")
    event_log_max_bytes: int = Field(
        16_000_000, ge=0, description="Bytes of published events that a worker keeps for all rooms."
    )
    presence_lease_seconds: float = Field(
        15, ge=1, description="Who was in a room by way of a process that died is gone after so long."
    )


class DatabaseSettings(Section):
    """Database"""

    database_url: Annotated[SecretStr, AfterValidator(_database_url)] = Field(
        SecretStr("sqlite:///data/app.db"),
        description="SQLite (`sqlite:///file.db`, from the project's folder; `?timeout=30` lets writers wait for 30 s) "
        "or `postgresql://user:pw@host/db`.",
    )
    database_slow_query_seconds: float = Field(0.5, gt=0, description="A statement that takes longer is logged.")
    database_snapshot_url: SecretStr = Field(
        SecretStr(""),
        description="A SQLite database to start from: a URL of http(s), file or s3; `.zst` and `.gz` accepted.",
    )
    database_snapshot_sha256: Annotated[str, BeforeValidator(lambda v: str(v).lower())] = Field(
        "",
        pattern=r"^([0-9a-f]{64})?$",
        description="SHA-256 of the file at that URL; by default read from `URL.sha256`.",
    )
    database_snapshot_policy: Literal["if-missing", "refresh", "off"] = Field(
        "if-missing",
        description="`if-missing` fills an empty place only; `refresh` also takes a snapshot that changed, "
        "and keeps the old file; `off` never fetches.",
    )
    database_snapshot_max_bytes: int = Field(
        10_000_000_000, ge=1, description="The largest snapshot that is accepted, also after decompression."
    )
    database_snapshot_timeout_seconds: float = Field(
        20, gt=0, description="The download is given up after so long without progress."
    )


class BackupSettings(Section):
    """Backups"""

    backup_to: str = Field(
        "",
        description="A folder or `s3://bucket/prefix` for this instance alone; else `backups` beside the database.",
    )
    backup_keep_days: float = Field(7, ge=0, description="Backups that are older are removed after the next one.")
    backup_keep_count: int = Field(3, ge=1, description="So many of the newest stay whatever their age.")
    backup_schedule: Cron = Field("0 2 * * *", description="When a backup is made (cron); empty is never.")
    backup_drill_schedule: Cron = Field(
        "0 3 * * 0", description="When the newest backup is restored as a test (cron); empty is never."
    )
    migrate_backup: bool = Field(True, description="Make a backup before migrations are applied (SQLite).")


class JobSettings(Section):
    """Jobs"""

    jobs_embedded: bool = Field(True, description="Run jobs in the web process; else only `flask jobs work` does.")
    jobs_concurrency: int = Field(4, ge=1, le=1_000, description="Jobs a process runs at once.")
    job_lease_seconds: float = Field(
        30, ge=1, description="A running job whose owner did not renew its lease for this long is stalled."
    )
    jobs_grace_seconds: float = Field(
        3, ge=0, description="How long running jobs may reach a safe point when the process stops."
    )


class QuotaSettings(Section):
    """Quotas"""

    quota_stored_bytes: int = Field(
        1_000_000_000, ge=0, description="Bytes that a key or an account may store; 0 is no limit."
    )
    quota_jobs: int = Field(
        500, ge=0, description="Jobs of a key or an account that may wait or run at once; 0 is no limit."
    )
    quota_uploads_per_day: int = Field(
        1_000, ge=0, description="Files that a key or an account may upload in a day (UTC); 0 is no limit."
    )


class UpkeepSettings(Section):
    """Upkeep"""

    schedule_time_zone: TimeZone = Field("UTC", description="In which all schedules are, such as `Europe/Berlin`.")
    retention_schedule: Cron = Field(
        "30 3 * * *", description="When what is older than it may be is deleted (cron); empty is never."
    )
    retention_jobs_days: float = Field(30, ge=0, description="How long ended jobs are kept; 0 is for ever.")
    retention_audit_days: float = Field(365, ge=0, description="How long the audit log is kept; 0 is for ever.")
    cleanup_schedule: Cron = Field(
        "15 4 * * *", description="When left-over temporary files are deleted (cron); empty is never."
    )
    sqlite_upkeep_schedule: Cron = Field(
        "45 4 * * *", description="When the SQLite file is tidied up and shrunk (cron); empty is never."
    )
    sqlite_vacuum_max_bytes: int = Field(
        20_000_000,
        ge=0,
        description="Up to this size a file that cannot shrink in steps is written anew once, after which it can; "
        "it holds up writers for about half a second in 20 MB.",
    )


class UpstreamSettings(Section):
    """Outside API"""

    openrouter_api_key: SecretStr = Field(SecretStr(""), description="The key for the outside API.")
    upstream_base_url: str = Field(
        "https://openrouter.ai/api/v1",
        pattern=r"^https?://[^/]+",
        description="An OpenAI-compatible API; `/chat/completions` is appended.",
    )
    upstream_model: str = Field("openai/gpt-4o-mini", min_length=1, description="The model that is asked.")
    upstream_requests_per_second: float = Field(
        20, gt=0, le=100_000, description="Calls that start in a second, over all jobs of a process."
    )
    upstream_burst: int = Field(1, ge=1, description="Calls that may start at once after a quiet time.")
    upstream_max_concurrent_requests: int = Field(
        20, ge=1, le=10_000, description="Calls under way at once, over all jobs of a process."
    )
    upstream_timeout_seconds: float = Field(60, gt=0, description="A call without an answer for this long is broken.")
    upstream_max_response_bytes: int = Field(
        2_000_000,
        ge=10_000,
        description="The largest answer to a call, packed or unpacked; the row of a larger one fails.",
    )
    upstream_max_retries: int = Field(4, ge=0, le=20, description="Further attempts after a call that may be retried.")
    upstream_outage_seconds: float = Field(
        300, ge=0, description="While no call at all is answered, they are repeated for so long before they fail."
    )


class TelemetrySettings(Section):
    """Errors and traces"""

    sentry_dsn: SecretStr = Field(
        SecretStr(""), description="Where errors are sent, of Sentry or what speaks like it; empty is nowhere."
    )
    sentry_environment: str = Field("", description="What the errors' environment is called; by default APP_ENV.")
    otel_exporter_otlp_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/]+.*)?$",
        description="Where traces are sent by OTLP over HTTP, as in `http://127.0.0.1:4318`; empty is nowhere.",
    )
    otel_exporter_otlp_headers: SecretStr = Field(
        SecretStr(""), description="Headers of what is sent there, as in `api-key=...,other=...`."
    )
    otel_service_name: str = Field("", description="The service's name in traces; by default its slug.")


class Settings(
    ApplicationSettings,
    SecuritySettings,
    ServerSettings,
    SocketSettings,
    DatabaseSettings,
    BackupSettings,
    JobSettings,
    QuotaSettings,
    UpkeepSettings,
    UpstreamSettings,
    TelemetrySettings,
):
    """All settings of the core, and the features' own under `section(Kind)`."""

    _sections: dict[type[Section], Section] = PrivateAttr(default_factory=dict)

    def section(self, kind: type[S]) -> S:
        """Return a feature's own settings."""
        found = self._sections.get(kind)
        return found if isinstance(found, kind) else kind()

    @property
    def production(self) -> bool:
        return self.app_env == "production"

    @property
    def client_keys(self) -> list[SecretStr]:
        """Return the keys of CLIENT_API_KEYS."""
        return _secrets(self.client_api_keys)

    @property
    def earlier_secret_keys(self) -> list[SecretStr]:
        """Return the keys of SECRET_KEY_FALLBACKS."""
        return _secrets(self.secret_key_fallbacks)

    @property
    def request_rates(self) -> tuple[Rate, ...]:
        """Return what one principal may ask for; the defaults are for production, where strangers come."""
        names = ("rate_limit_default", "rate_limit_burst")
        return tuple(rate for name in names if self._in_force(name) for rate in getattr(self, name))

    def of_strangers(self, name: str) -> int:
        """Return a limit of addresses; it counts in production, and elsewhere where it is set."""
        return getattr(self, name) if self._in_force(name) else 0

    def _in_force(self, name: str) -> bool:
        return self.production or name in self.model_fields_set

    @property
    def guarded(self) -> bool:
        """Return whether anonymous visitors are kept out."""
        return self.production if self.require_client_api_key is None else self.require_client_api_key

    @property
    def sqlite_path(self) -> Path | None:
        """Return the database file, or None when the database is not a file of SQLite."""
        path = database_url.file_of(self.database_url.get_secret_value())
        return None if path is None else BASE_DIR / path

    @property
    def log_path(self) -> Path | None:
        """Return the file of LOG_FILE, from the project's folder, or None."""
        return BASE_DIR / self.log_file if self.log_file else None

    @property
    def data_folder(self) -> Path:
        """Return where files of the running service are: beside a SQLite database, else `data`."""
        return self.sqlite_path.parent if self.sqlite_path else BASE_DIR / "data"

    @property
    def effective_log_format(self) -> str:
        return self.log_format or ("json" if self.production else "console")

    def problems(self) -> list[tuple[str, str]]:
        found = [*_database_problems(self), *_backup_problems(self), *_worker_problems(self), *_contact_problems(self)]
        found += _host_problems(self)
        found += _extras_problems(self)
        return found + (list(_production_problems(self)) if self.production else [])


GROUPS: tuple[type[Section], ...] = (
    ApplicationSettings,
    SecuritySettings,
    ServerSettings,
    SocketSettings,
    DatabaseSettings,
    BackupSettings,
    JobSettings,
    QuotaSettings,
    UpkeepSettings,
    UpstreamSettings,
    TelemetrySettings,
)


def _secrets(listed: SecretStr) -> list[SecretStr]:
    return [SecretStr(part.strip()) for part in listed.get_secret_value().split(",") if part.strip()]


def _database_problems(settings: Settings) -> Any:
    problem = database_url.problem(settings.database_url.get_secret_value())
    if problem:
        yield "DATABASE_URL", problem
    snapshot = settings.database_snapshot_url.get_secret_value()
    if snapshot and _url_parts(snapshot).scheme not in ("http", "https", "file", "s3"):
        yield "DATABASE_SNAPSHOT_URL", "must start with https://, http://, s3:// or file://"
    if snapshot and settings.sqlite_path is None:
        yield "DATABASE_SNAPSHOT_URL", "is for SQLite only: unset it, or use a sqlite:/// DATABASE_URL"


def _backup_problems(settings: Settings) -> Any:
    if "://" in settings.backup_to and not BUCKET.match(settings.backup_to):
        yield "BACKUP_TO", "must be a folder or s3://bucket/prefix"


def _worker_problems(settings: Settings) -> Any:
    unknown = set(settings.socket_transports) - {"polling", "websocket"}
    if unknown or not settings.socket_transports:
        yield "SOCKET_TRANSPORTS", "must list polling, websocket or both"
    if settings.gunicorn_workers > 1 and not settings.redis_url.get_secret_value():
        yield "GUNICORN_WORKERS", "above 1 needs REDIS_URL, so that events reach the clients of every worker"
    if settings.gunicorn_workers > 1 and "polling" in settings.socket_transports:
        yield (
            "GUNICORN_WORKERS",
            "above 1 needs SOCKET_TRANSPORTS=websocket, since polls would reach other workers",
        )


def _production_problems(settings: Settings) -> Any:
    yield from _secret_key_problems(settings)
    if "*" in settings.cors_origins:
        yield "CORS_ORIGINS", "must not be * in production: list the origins, or leave it empty"
    yield from _key_problems(settings)
    if covers_internet(proxy for proxy in settings.trusted_proxies if proxy != "unix"):
        yield "TRUSTED_PROXIES", "must not be everybody: whoever is trusted may claim to be any address"
    if settings.debug_pages:
        yield "DEBUG_PAGES", "must be off in production: tracebacks are nobody else's business"
    snapshot = _url_parts(settings.database_snapshot_url.get_secret_value())
    if snapshot.scheme == "http" and not settings.database_snapshot_sha256 and snapshot.hostname != "127.0.0.1":
        yield "DATABASE_SNAPSHOT_SHA256", "is needed in production when the snapshot comes over plain http"


def _secret_key_problems(settings: Settings) -> Any:
    advice = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not settings.secret_key.get_secret_value():
        yield "SECRET_KEY", f"is missing; {advice}"
    for name, keys in (("SECRET_KEY", [settings.secret_key]), ("SECRET_KEY_FALLBACKS", settings.earlier_secret_keys)):
        for key in filter(None, (k.get_secret_value() for k in keys)):
            if _is_weak(key):
                characters = f"{MIN_SECRET_KEY_CHARACTERS} random characters"
                yield name, f"is too short or too simple ({characters}); {advice}"
            elif _is_well_known(key):
                yield name, f"is a well-known placeholder; {advice}"


def _is_weak(key: str) -> bool:
    return len(key) < MIN_SECRET_KEY_CHARACTERS or len(set(key)) < 8


def _is_well_known(key: str) -> bool:
    return any(word in key.lower() for word in WELL_KNOWN_KEYS)


def covers_internet(networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Return whether networks hold, together, at least half of the addresses of IPv4, or of public ones of IPv6."""
    listed = list(networks)
    old = ipaddress.collapse_addresses(one for one in listed if isinstance(one, ipaddress.IPv4Network))
    new = ipaddress.collapse_addresses(_public(one) for one in listed if isinstance(one, ipaddress.IPv6Network))
    public = sum(one.num_addresses for one in new if one.subnet_of(PUBLIC_IPV6))
    return 2 * sum(one.num_addresses for one in old) >= 2**32 or 2 * public >= PUBLIC_IPV6.num_addresses


def _public(network: ipaddress.IPv6Network) -> ipaddress.IPv6Network:
    return PUBLIC_IPV6 if network.supernet_of(PUBLIC_IPV6) else network


def _host_problems(settings: Settings) -> Any:
    if any(name != "*" and not HOST_NAME.fullmatch(name) for name in settings.allowed_hosts):
        yield "ALLOWED_HOSTS", "must be names without a port, such as app.example.org, or * for all"


def _contact_problems(settings: Settings) -> Any:
    for contact in settings.security_contact:
        if not CONTACT.fullmatch(contact):
            yield "SECURITY_CONTACT", "must be e-mail addresses or URLs that start with https://"


def _extras_problems(settings: Settings) -> Any:
    """Yield what needs a package that is not installed; it is only looked for, not imported."""
    dsn = settings.sentry_dsn.get_secret_value()
    if dsn and not (_url_parts(dsn).username and _url_parts(dsn).path.strip("/")):
        yield "SENTRY_DSN", "must be like https://KEY@HOST/PROJECT"
    wanted = {
        "SENTRY_DSN": (dsn, "sentry-sdk", "sentry"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": (
            settings.otel_exporter_otlp_endpoint,
            "opentelemetry-exporter-otlp-proto-http",
            "otel",
        ),
        "BACKUP_TO": (settings.backup_to.startswith("s3://"), "boto3", "s3"),
        "DATABASE_SNAPSHOT_URL": (
            settings.database_snapshot_url.get_secret_value().startswith("s3://"),
            "boto3",
            "s3",
        ),
        "DATABASE_URL": (settings.sqlite_path is None, "psycopg", "postgres"),
        "REDIS_URL": (settings.redis_url.get_secret_value(), "redis", "redis"),
    }
    for name, (value, package, extra) in wanted.items():
        if value and not installed(package):
            yield name, f"needs the package {package} (the extra {extra} of pyproject.toml)"


@cache
def installed(package: str) -> bool:
    """Return whether a package is there; it is looked for, and not imported."""
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _key_problems(settings: Settings) -> Any:
    """Yield what is weak about the keys of the environment; an empty one is none, and opens nothing."""
    for name, keys in (("ADMIN_API_KEY", [settings.admin_api_key]), ("CLIENT_API_KEYS", settings.client_keys)):
        for key in keys:
            text = key.get_secret_value()
            if text and _is_weak(text):
                yield name, f"is too short or too simple ({MIN_SECRET_KEY_CHARACTERS} random characters or more)"
            elif _is_well_known(text):
                yield name, "is a well-known placeholder"


def _url_parts(url: str) -> SplitResult:
    """Return a URL's parts; of one that Python cannot split (`http://[`) empty ones, whose scheme is refused."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def load_settings(sections: tuple[type[Section], ...] = ()) -> Settings:
    """Read all settings, the core's and the given sections'; raise SettingsError with every mistake at once."""
    kinds: tuple[type[Section], ...] = (Settings, *sections)
    names = [field.upper() for kind in kinds for field in kind.model_fields]
    values, problems = read_environment(names)
    loaded = []
    for kind in kinds:
        section, wrong = _parse(kind, values)
        loaded.append(section)
        reported = {name.removesuffix("_FILE") for name, _ in problems}
        problems += [(name, sentence) for name, sentence in wrong if name not in reported]
    settings = loaded[0]
    assert isinstance(settings, Settings)
    settings._sections.update({type(section): section for section in loaded[1:]})
    problems += [problem for section in loaded[1:] for problem in section.problems_with(settings)]
    if problems:
        raise SettingsError(problems)
    return settings


def _parse(kind: type[S], values: dict[str, str]) -> tuple[S, list[tuple[str, str]]]:
    given = {f: values[f.upper()] for f in kind.model_fields if f.upper() in values}
    given = {f: v for f, v in given.items() if v or _takes_nothing(kind, f)}
    if not given.get("secret_key") and "secret_key" in kind.model_fields:
        given |= {"secret_key": inherited_secret_key() or ""}
    try:
        section, wrong = kind(**given), []
    except ValidationError as error:
        wrong = [(str(e["loc"][0]).upper(), _sentence(e["msg"])) for e in error.errors() if e["loc"]]
        section = kind(**{f: v for f, v in given.items() if f.upper() not in dict(wrong)})
    wrong += [(name, sentence) for name, sentence in _quoted(kind, given) if name not in dict(wrong)]
    reported = {name for name, _ in wrong}
    return section, wrong + [(name, text) for name, text in section.problems() if name not in reported]


def _quoted(kind: type[Section], given: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield the secrets that are in quotes, as docker's --env-file leaves them: they would be a part of the key."""
    for field, value in given.items():
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        if quoted and kind.model_fields[field].annotation is SecretStr:
            yield (
                field.upper(),
                "is in quotes, which would be a part of it: leave them out (docker's --env-file keeps them)",
            )


def _takes_nothing(kind: type[Section], field: str) -> bool:
    """Return whether an empty value is one, and not the default: an empty list, or the schedule of what never runs."""
    declared = kind.model_fields[field]
    never = any(getattr(part, "func", None) is cron.check for part in declared.metadata)
    return never or isinstance(declared.default, tuple)


def _sentence(message: str) -> str:
    return (
        message.replace("Input should be", "should be").replace("String should", "should").replace("Value error, ", "")
    )


def ensure_secret_key(settings: Settings) -> Settings:
    """Give a development start its own SECRET_KEY, the same in this process and in all that it starts."""
    if settings.secret_key.get_secret_value():
        return settings
    key = secrets.token_urlsafe(48)
    pass_to_children(EPHEMERAL_SECRET_KEY, key)
    changed = settings.model_copy(update={"secret_key": SecretStr(key)})
    changed._sections.update(settings._sections)
    return changed

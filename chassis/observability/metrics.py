"""Every metric of the chassis, declared in one place and imported by the rooms that update it.

Features declare their own.
"""

from prometheus_client import Counter, Gauge, Histogram

from chassis.server.patches import for_prometheus

for_prometheus.use_real_locks()

FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400)

BUILD_INFO = Gauge(
    "app_build_info",
    "Always 1; the labels describe the running service.",
    ["service", "version", "chassis", "python", "async_mode"],
    multiprocess_mode="livemax",
)
READY = Gauge("app_ready", "1 while the readiness checks pass.", multiprocess_mode="livemostrecent")
WORKERS = Gauge("app_workers", "Worker processes that are serving.", multiprocess_mode="livesum")
HUB_LAG = Histogram(
    "app_hub_lag_seconds", "Event-loop lag of the worker: how late a timer fires.", buckets=FAST_SECONDS
)
HUB_STALLS = Counter("app_hub_stalls_total", "Times the worker's event loop was blocked for HUB_STALL_SECONDS or more.")
LOG_DROPPED = Counter(
    "app_log_lines_dropped_total", "Log lines that could not be written, for example because the disk is full."
)

HTTP_REQUESTS = Counter("http_requests_total", "HTTP requests.", ["method", "endpoint", "status"])
HTTP_LATENCY = Histogram(
    "http_request_duration_seconds", "Time to answer a request.", ["endpoint"], buckets=FAST_SECONDS
)

SOCKET_CONNECTIONS = Gauge("socket_connections", "Open Socket.IO connections.", multiprocess_mode="livesum")
SOCKET_REFUSED = Counter("socket_refused_total", "Connections closed or refused by a limit or rule.", ["reason"])
SOCKET_EVENTS = Counter("socket_events_total", "Events received.", ["event", "outcome"])
SOCKET_CONTRACT_BREAKS = Counter(
    "socket_contract_breaks_total", "Events and answers sent that do not fit their declared model.", ["event"]
)
SOCKET_LATENCY = Histogram("socket_event_duration_seconds", "Time to handle an event.", ["event"], buckets=FAST_SECONDS)

STREAMS = Gauge("app_streams", "Streams to clients that are under way.", multiprocess_mode="livesum")
STREAMS_ENDED = Counter("app_streams_ended_total", "Ended streams to clients.", ["outcome"])

JOBS_FINISHED = Counter("jobs_finished_total", "Ended jobs, by final state.", ["kind", "state"])
JOBS_REQUEUED = Counter(
    "jobs_requeued_total", "Started jobs that were queued again, by reason: stop, retry or crash.", ["kind", "reason"]
)
JOB_DURATION = Histogram("job_duration_seconds", "Time from claim to end.", ["kind"], buckets=LONG_SECONDS)
JOB_WAIT = Histogram("job_wait_seconds", "Time from being ready to claim.", ["kind"], buckets=LONG_SECONDS)
SCHEDULE_SKIPPED = Counter(
    "app_schedule_skipped_total",
    "Scheduled runs skipped: missed, or the previous run was still active.",
    ["kind", "reason"],
)

UPSTREAM_CALLS = Counter("upstream_calls_total", "Calls to the outside API, counting each attempt.", ["outcome"])
UPSTREAM_LATENCY = Histogram("upstream_call_duration_seconds", "Time of one attempt.", buckets=LONG_SECONDS)
UPSTREAM_RETRIES = Counter("upstream_retries_total", "Attempts after the first.")
UPSTREAM_RATE_LIMITED = Counter("upstream_rate_limited_total", "429 responses of the outside API.")
UPSTREAM_FAILING = Gauge("app_upstream_failing", "1 while consecutive calls fail.", multiprocess_mode="livemax")
UPSTREAM_FIRST_PART = Histogram(
    "upstream_first_part_seconds", "Time until the first part of a streamed answer.", buckets=LONG_SECONDS
)
UPSTREAM_ALLOWED = Gauge(
    "upstream_provider_limit",
    "The provider's own limit, as its last answer told it.",
    ["unit"],
    multiprocess_mode="livemostrecent",
)
UPSTREAM_LEFT = Gauge(
    "upstream_provider_remaining",
    "What is left of the provider's own limit, as its last answer told it.",
    ["unit"],
    multiprocess_mode="livemostrecent",
)
UPSTREAM_IN_FLIGHT = Gauge("upstream_calls_in_flight", "Calls in flight.", multiprocess_mode="livesum")
UPSTREAM_TOKENS = Counter(
    "upstream_tokens_total", "Tokens of calls, by what the provider or an estimate says.", ["model", "kind"]
)
UPSTREAM_SPEND = Counter(
    "upstream_spend_micro_units_total", "Cost of calls, in millionths of BUDGET_CURRENCY.", ["model"]
)
BUDGET_REFUSALS = Counter("app_budget_refusals_total", "Calls refused by a budget.", ["of"])
BUDGET_ALERTS = Counter("app_budget_alerts_total", "Budgets that reached a percentage this month.", ["percent"])

REDIS_DOWN = Gauge("app_redis_down", "1 while Redis is set and does not answer.", multiprocess_mode="livemax")
REDIS_DELAY = Histogram(
    "redis_round_trip_seconds", "Time until a message to the other processes is read back.", buckets=FAST_SECONDS
)
REDIS_LATE = Counter("redis_messages_late_total", "Messages of other processes that arrived after an outage.")
REDIS_LOST = Counter(
    "redis_messages_lost_total", "Messages of other processes that never arrived; clients were told to fetch the state."
)

BACKUP_FAILURES = Counter("app_backup_failures_total", "Failed backup and verification jobs of this process.", ["what"])

DATABASE_LATENCY = Histogram(
    "database_operation_duration_seconds", "Duration of a database read or write.", ["kind"], buckets=FAST_SECONDS
)
DATABASE_WRITABLE = Gauge("app_database_writable", "1 while the database accepts writes.", multiprocess_mode="livemin")
DATABASE_SLOW = Counter("database_slow_queries_total", "Statements over DATABASE_SLOW_QUERY_SECONDS.")
CONNECTIONS_IN_USE = Gauge(
    "app_database_connections_in_use", "PostgreSQL connections of the pool in use.", multiprocess_mode="livesum"
)
CONNECTIONS_MAX = Gauge(
    "app_database_connections_max",
    "PostgreSQL connections that the pool may open: DATABASE_POOL_SIZE + DATABASE_MAX_OVERFLOW.",
    multiprocess_mode="livesum",
)
CONNECTION_WAIT = Histogram(
    "database_connection_wait_seconds", "Time until a PostgreSQL connection was free.", buckets=FAST_SECONDS
)
REPLICA_REFUSALS = Counter(
    "database_replica_refusals_total", "Reads that DATABASE_READ_URL refused and DATABASE_URL answered."
)
CONNECTION_TIMEOUTS = Counter(
    "database_connection_timeouts_total", "Waits for a connection that exceeded DATABASE_POOL_TIMEOUT_SECONDS."
)

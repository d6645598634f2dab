"""The gateway's tables: the registry of backends, and the log of calls."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text

from chassis.db import metadata
from chassis.security import sealing

backends = Table(
    "gateway_backends",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("base_url", Text, nullable=False),
    Column("models", JSON, nullable=False),  # as given; empty means those that the backend lists
    Column("found_models", JSON, nullable=False),  # those that it listed at the last check
    Column("weight", Integer, nullable=False),
    Column("max_concurrency", Integer, nullable=False),
    Column("per_second", Float, nullable=False),  # 0 means no limit
    Column("key", sealing.Sealed("gateway-backend"), nullable=False),  # empty means none
    Column("enabled", Boolean, nullable=False),
    Column("source", String(8), nullable=False),  # api, setting or self
    Column("lease_until", Float),  # of one that registered itself
    Column("open_until", Float, nullable=False),  # of the circuit breaker; 0 means closed
    Column("trips", Integer, nullable=False),  # how often it opened in a row
    Column("failed_checks", Integer, nullable=False),
    Column("checked_at", Float, nullable=False),
    Column("check_detail", Text, nullable=False),
)

calls = Table(
    "gateway_calls",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Float, nullable=False),
    Column("owner", Text, nullable=False),
    Column("path", String(32), nullable=False),
    Column("model", Text, nullable=False),
    Column("backend", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("content", JSON),  # the request and the answer, if GATEWAY_LOG_CONTENTS is set
    Index("gateway_calls_by_age", "at"),
    Index("gateway_calls_by_backend", "backend", "at"),
    Index("gateway_calls_by_owner", "owner", "at"),
)

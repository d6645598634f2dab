"""The tables of keys, quotas and the audit log, and the number that changes with everybody's rights."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, false

from chassis.db import metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),  # public: the first part of the key
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the whole key
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("per_second", Float, nullable=False),
    Column("monthly_budget", Float, nullable=False, default=0),  # of earlier versions; budgets are a table of their own
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("last_used_at", Float),
    Column("use_count", Integer, nullable=False),
    Column("made_by", Text, nullable=False, server_default=""),  # an owner; empty for older keys
    Column("without_limits", Boolean, nullable=False, server_default=false()),
)
security_version = Table(
    "security_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("result", String(32), nullable=False),
    Column("number", Integer),  # None for entries from before the chain
    Column("previous", String(64)),  # the hash of the previous entry
    Column("hash", String(64)),
    Index("audit_log_by_age", "at"),
    Index("audit_log_by_number", "number", unique=True),
)
audit_chain = Table(  # one row: the last entry, and the first that retention has kept
    "audit_chain",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("first_number", Integer, nullable=False),
    Column("earlier_id", Integer, nullable=False),  # the last entry from before the chain
)
quota_days = Table(
    "quota_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970, in UTC
    Column("owner", Text, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("used", BigInteger, nullable=False),
)

"""The webhooks. Times are seconds since 1970."""

from sqlalchemy import Column, Float, Index, String, Table, Text

from chassis.db import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", Text, nullable=False),  # as in the jobs' `submitted_by`
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # in plain text: a signature needs it, so a hash is not enough
    Column("created_at", Float, nullable=False),
    Column("disabled_at", Float),
    Column("disabled_reason", Text, nullable=False),
    Column("failing_since", Float),  # the first failure since the last success
    Column("last_at", Float),
    Column("last_outcome", Text, nullable=False),
    Index("webhooks_by_owner", "owner"),
)

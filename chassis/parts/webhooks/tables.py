"""The webhooks. Times are seconds since 1970."""

from sqlalchemy import Column, Float, Index, String, Table, Text

from chassis.db import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", Text, nullable=False),  # as jobs have it in `submitted_by`
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # as it is: a signature needs it, and a hash would not do
    Column("created_at", Float, nullable=False),
    Column("disabled_at", Float),
    Column("disabled_reason", Text, nullable=False),
    Column("failing_since", Float),  # the first failure since the last success
    Column("last_at", Float),
    Column("last_outcome", Text, nullable=False),
    Index("webhooks_by_owner", "owner"),
)

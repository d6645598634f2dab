"""Backends, figures by the minute, and the log of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "gateway_backends",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("base_url", sa.Text, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("found_models", sa.JSON, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("max_concurrency", sa.Integer, nullable=False),
        sa.Column("per_second", sa.Float, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("lease_until", sa.Float),
        sa.Column("open_until", sa.Float, nullable=False),
        sa.Column("trips", sa.Integer, nullable=False),
        sa.Column("failed_checks", sa.Integer, nullable=False),
        sa.Column("checked_at", sa.Float, nullable=False),
        sa.Column("check_detail", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "gateway_loads",
        sa.Column("worker", sa.String(64), primary_key=True),
        sa.Column("backend_id", sa.String(32), primary_key=True),
        sa.Column("in_flight", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "gateway_calls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("path", sa.String(32), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("backend", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("first_seconds", sa.Float),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("content", sa.JSON),
    )
    op.create_index("gateway_calls_by_age", "gateway_calls", ["at"])
    op.create_index("gateway_calls_by_backend", "gateway_calls", ["backend", "at"])
    op.create_index("gateway_calls_by_owner", "gateway_calls", ["owner", "at"])

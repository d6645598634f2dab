"""The registry of backends, and the log of calls."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "gateway_backends",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("lease_until", sa.Float),
        *needed(sa.JSON, "models", "found_models"),
        *needed(sa.Text, "base_url", "key", "check_detail"),
        *needed(sa.Integer, "weight", "max_concurrency", "trips", "failed_checks"),
        *needed(sa.Float, "per_second", "open_until", "checked_at"),
    )
    op.create_table(
        "gateway_calls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("backend", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON),
        *needed(sa.Text, "owner", "model"),
        *needed(sa.String(32), "path", "outcome"),
        *needed(sa.Integer, "status", "attempts", "input_tokens", "output_tokens"),
        *needed(sa.Float, "at", "seconds"),
    )
    op.create_index("gateway_calls_by_age", "gateway_calls", ["at"])
    op.create_index("gateway_calls_by_backend", "gateway_calls", ["backend", "at"])
    op.create_index("gateway_calls_by_owner", "gateway_calls", ["owner", "at"])


def needed(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]

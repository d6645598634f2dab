"""Answers that are too old to be used again are found by their age."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("prediction_cache_by_age", "prediction_cache", ["created_at"])

"""Batches, rows, and the cache of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id"), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("finish_seq", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("predictions_by_age", "predictions", ["created_at"])
    op.create_table(
        "prediction_rows",
        sa.Column("prediction_id", sa.String(32), sa.ForeignKey("predictions.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("input", sa.JSON, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("output", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.Column("finish_no", sa.Integer),
    )
    op.create_index("prediction_rows_by_finish", "prediction_rows", ["prediction_id", "finish_no"])
    op.create_table(
        "prediction_cache",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("output", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )

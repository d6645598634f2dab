"""The figures of each worker over the last day."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "console_figures",
        sa.Column("worker", sa.String(100), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("first_at", sa.Float, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_index("console_figures_by_age", "console_figures", ["at"])

"""Create the table of jobs' log lines."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "job_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("step", sa.String(32)),
        sa.Column("details", sa.JSON),
        sa.Column("worker", sa.String(160), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("job_lines_by_job", "job_lines", ["job_id", "id"])
    op.create_index("job_lines_by_age", "job_lines", ["at"])

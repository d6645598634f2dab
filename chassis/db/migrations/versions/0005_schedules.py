"""Create the table of schedules: when each kind of job runs next."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("kind", sa.String(64), primary_key=True),
        sa.Column("expression", sa.Text, nullable=False),
        sa.Column("next_at", sa.Float),
        sa.Column("last_at", sa.Float),
        sa.Column("last_job_id", sa.String(32)),
        sa.Column("last_success_at", sa.Float),
        sa.Column("skipped", sa.Integer, nullable=False),
    )

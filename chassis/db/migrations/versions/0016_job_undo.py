"""Create the table of former rows of jobs, to take an operator's change back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "job_undo",
        sa.Column("token", sa.String(32), primary_key=True),
        sa.Column("job_id", sa.String(32), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("former", sa.JSON, nullable=False),
    )
    op.create_index("job_undo_by_age", "job_undo", ["at"])

"""Who has open sockets in each worker."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "console_online",
        sa.Column("worker", sa.String(100), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("who", sa.JSON, nullable=False),
    )

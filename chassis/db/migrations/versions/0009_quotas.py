"""Create the table of daily quota use by owner."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "quota_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
    )

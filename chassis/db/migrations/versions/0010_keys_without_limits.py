"""Add keys without limits, for load tests."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("without_limits", sa.Boolean, nullable=False, server_default=sa.false()))

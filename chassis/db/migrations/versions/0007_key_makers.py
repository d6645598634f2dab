"""Add the creator to keys."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("made_by", sa.Text, nullable=False, server_default=""))

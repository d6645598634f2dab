"""Links say who made them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("user_links", sa.Column("made_by", sa.Text, nullable=False, server_default=""))

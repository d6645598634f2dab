"""Create the tables of presence: the members of rooms, and the leases of the processes that hold them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "presence_holders",
        sa.Column("holder", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_table(
        "presence",
        sa.Column("room", sa.String(255), primary_key=True),
        sa.Column("sid", sa.String(64), primary_key=True),
        sa.Column("member", sa.String(255), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("mark", sa.Integer, nullable=False),
    )
    op.create_index("presence_by_holder", "presence", ["holder"])

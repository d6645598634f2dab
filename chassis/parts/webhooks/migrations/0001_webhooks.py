"""The addresses that are told when jobs end."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("disabled_at", sa.Float),
        sa.Column("disabled_reason", sa.Text, nullable=False),
        sa.Column("failing_since", sa.Float),
        sa.Column("last_at", sa.Float),
        sa.Column("last_outcome", sa.Text, nullable=False),
    )
    op.create_index("webhooks_by_owner", "webhooks", ["owner"])

"""Who people are at the provider that they sign in by, and the states that came back from it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "user_identities",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("user_identities_by_user", "user_identities", ["user_id"])
    op.create_table(
        "oidc_used_states",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("used_at", sa.Float, nullable=False),
    )

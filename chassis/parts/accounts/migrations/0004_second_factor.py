"""Second factors, recovery codes, and when a session was proved to be its person's."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _factors()
    _recovery_codes()
    _challenges()
    op.add_column("user_sessions", sa.Column("factor_at", sa.Float))
    op.add_column("user_sessions", sa.Column("proved_at", sa.Float))


def _factors() -> None:
    op.create_table(
        "user_factors",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("credential", sa.Text, unique=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("last_used_at", sa.Float),
    )
    op.create_index("user_factors_by_user", "user_factors", ["user_id"])


def _recovery_codes() -> None:
    op.create_table(
        "user_recovery_codes",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(16), sa.ForeignKey("users.id"), nullable=False),
    )
    op.create_index("user_recovery_codes_by_user", "user_recovery_codes", ["user_id"])


def _challenges() -> None:
    op.create_table(
        "user_challenges",
        sa.Column("session_id", sa.String(16), primary_key=True),
        sa.Column("purpose", sa.String(16), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )

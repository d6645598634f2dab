"""Create the tables of keys and of the audit log, and add the submitter to jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("per_second", sa.Float, nullable=False),
        sa.Column("monthly_budget", sa.Float, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("revoked_at", sa.Float),
        sa.Column("last_used_at", sa.Float),
        sa.Column("use_count", sa.Integer, nullable=False),
    )
    op.create_table(
        "security_version",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.execute("INSERT INTO security_version (id, number) VALUES (1, 1)")
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("result", sa.String(32), nullable=False),
    )
    op.create_index("audit_log_by_age", "audit_log", ["at"])
    op.add_column("jobs", sa.Column("submitted_by", sa.Text, nullable=False, server_default=""))
    op.create_index("jobs_by_submitter", "jobs", ["submitted_by", "created_at"])

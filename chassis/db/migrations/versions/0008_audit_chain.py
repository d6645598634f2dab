"""Make the audit log a chain: each entry has a number, its hash, and the hash of the entry before."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("number", sa.Integer))
    op.add_column("audit_log", sa.Column("previous", sa.String(64)))
    op.add_column("audit_log", sa.Column("hash", sa.String(64)))
    op.create_index("audit_log_by_number", "audit_log", ["number"], unique=True)
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("first_number", sa.Integer, nullable=False),
        sa.Column("earlier_id", sa.Integer, nullable=False),
    )
    # Existing entries get no number: a hash made now would prove nothing about them.
    op.execute(
        "INSERT INTO audit_chain (id, number, hash, first_number, earlier_id) "
        "SELECT 1, 0, '0000000000000000000000000000000000000000000000000000000000000000', "
        "1, coalesce(max(id), 0) FROM audit_log"
    )

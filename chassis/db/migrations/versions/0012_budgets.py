"""Create the tables of budgets and usage; the budgets of keys, which nothing has read so far, move into them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
MOVE = """
INSERT INTO budgets (subject, monthly, changed_at)
SELECT 'key:' || id, CAST(CASE
    WHEN monthly_budget >= 1000000000 THEN 1000000000000000
    WHEN monthly_budget <= 0.000001 THEN 1
    ELSE round(monthly_budget * 1000000) END AS BIGINT), created_at
FROM api_keys WHERE monthly_budget > 0
"""


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("monthly", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "budget_months",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("spent", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
        sa.Column("alerted", sa.Integer, nullable=False),
    )
    op.create_table(
        "budget_reservations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_index("budget_reservations_by_subject", "budget_reservations", ["subject", "month"])
    op.create_index("budget_reservations_by_end", "budget_reservations", ["expires_at"])
    op.create_table(
        "usage_days",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("by_key", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("calls", "input_tokens", "output_tokens", "index_tokens", "cost")
        ),
    )
    op.add_column("jobs", sa.Column("submitted_with", sa.Text, nullable=False, server_default=""))
    op.execute(MOVE)

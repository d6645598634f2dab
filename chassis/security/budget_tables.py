"""The tables of budgets and of what was used; amounts are integers in micro-units of the currency."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text

from chassis.db import metadata

budgets = Table(  # those of single keys and accounts; all others have the defaults of the settings
    "budgets",
    metadata,
    Column("subject", Text, primary_key=True),  # key:ID, or an account
    Column("monthly", BigInteger, nullable=False),  # 0 means no limit
    Column("changed_at", Float, nullable=False),
)
budget_months = Table(
    "budget_months",
    metadata,
    Column("month", String(7), primary_key=True),  # 2026-11
    Column("subject", Text, primary_key=True),
    Column("spent", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),  # the sum of the month's reservations
    Column("alerted", Integer, nullable=False),  # the highest percentage that was reported
)
budget_reservations = Table(
    "budget_reservations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("month", String(7), nullable=False),
    Column("amount", BigInteger, nullable=False),  # 0 after the lease has ended
    Column("expires_at", Float, nullable=False),
    Index("budget_reservations_by_subject", "subject", "month"),
    Index("budget_reservations_by_end", "expires_at"),
)
usage_days = Table(
    "usage_days",
    metadata,
    Column("day", String(10), primary_key=True),  # 2026-11-30
    Column("by_key", Text, primary_key=True),  # key:ID, or empty
    Column("account", Text, primary_key=True),  # or empty
    Column("model", String(200), primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("index_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),
)

"""The table of feedback; it has no column for an account, a key or an address."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from chassis.db import metadata

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("page", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Index("feedback_by_age", "at"),
)

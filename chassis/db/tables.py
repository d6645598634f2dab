"""The MetaData of all tables of rooms and features."""

from sqlalchemy import JSON, Column, Float, MetaData, String, Table, Text

metadata = MetaData()
"""The MetaData that the tables of a feature belong to: `Table("albums", metadata, ...)`."""

boot_outcomes = Table(
    "boot_outcomes",
    metadata,
    Column("step", String(64), primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("duration_seconds", Float, nullable=False),
    Column("finished_at", Float, nullable=False),
)

app_state = Table(
    "app_state",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", Float, nullable=False),
)

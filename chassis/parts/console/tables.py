"""The tables of the figures of each worker, and of who is online there; times are seconds since 1970."""

from sqlalchemy import JSON, Column, Float, Index, String, Table

from chassis.db import metadata

figures = Table(
    "console_figures",
    metadata,
    Column("worker", String(100), primary_key=True),  # host and pid
    Column("at", Float, primary_key=True),  # the beginning of the five minutes
    Column("first_at", Float, nullable=False),  # of the worker's samples in these five minutes
    Column("seen_at", Float, nullable=False),  # the last one
    Column("started_at", Float, nullable=False),
    Column("version", String(64), nullable=False),
    Column("figures", JSON, nullable=False),
    Index("console_figures_by_age", "at"),
)

online = Table(
    "console_online",
    metadata,
    Column("worker", String(100), primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", JSON, nullable=False),  # [[kind, id, name, open sockets], ...]
)

"""The tables of presence: a process holds a lease, and its members are valid as long as it is."""

from sqlalchemy import Column, Float, Index, Integer, String, Table

from chassis.db import metadata

holders = Table(
    "presence_holders",
    metadata,
    Column("holder", String(64), primary_key=True),
    Column("expires_at", Float, nullable=False),
)
presence = Table(
    "presence",
    metadata,
    Column("room", String(255), primary_key=True),
    Column("sid", String(64), primary_key=True),
    Column("member", String(255), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("mark", Integer, nullable=False),
    Index("presence_by_holder", "holder"),
)

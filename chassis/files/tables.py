"""The table of stored files; their content is in the folder or bucket of FILES_TO."""

from sqlalchemy import BigInteger, Column, Float, Index, String, Table, Text

from chassis.db import metadata

files = Table(
    "files",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("label", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(128), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Index("files_by_owner", "owner", "created_at"),
    Index("files_by_age", "created_at"),
)

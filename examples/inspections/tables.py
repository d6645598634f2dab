"""The tables of inspections and of their images."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from chassis.db import metadata

inspections = Table(
    "inspections",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), ForeignKey("jobs.id"), nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("inspections_by_owner", "owner", "created_at"),
    Index("inspections_by_age", "created_at"),
)

images = Table(
    "inspection_images",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("inspection_id", String(32), ForeignKey("inspections.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("file_id", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("origin", Text, unique=True),  # of a camera's file: each is taken once
    Column("status", String(16), nullable=False),
    Column("verdict", String(16)),
    Column("score", Float),
    Column("detail", Text),
    Column("classifier", String(32)),
    Column("cached", Boolean, nullable=False),
    Column("thumbnail", LargeBinary),
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("corrected_to", String(16)),
    Column("corrected_by", Text),
    Column("corrected_at", Float),
    Column("note", Text),
    Index("inspection_images_by_place", "inspection_id", "position", unique=True),
    Index("inspection_images_by_owner", "owner", "created_at", "position"),
    Index("inspection_images_by_age", "created_at", "position"),
    Index("inspection_images_by_content", "sha256", "finished_at"),
)

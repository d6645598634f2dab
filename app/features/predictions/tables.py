"""The example's tables: batches, their rows, and the cache of answers."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from chassis.db import metadata

predictions = Table(
    "predictions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("job_id", String(32), ForeignKey("jobs.id"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("model", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("finish_seq", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False, server_default="0"),  # of its rows and their answers
    Index("predictions_by_age", "created_at"),
)

rows = Table(
    "prediction_rows",
    metadata,
    Column("prediction_id", String(32), ForeignKey("predictions.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("input", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("output", Text),
    Column("error", Text),
    Column("model", Text),
    Column("cached", Boolean, nullable=False),
    Column("finish_no", Integer),
    Index("prediction_rows_by_finish", "prediction_id", "finish_no"),
)

cache = Table(
    "prediction_cache",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("output", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("prediction_cache_by_age", "created_at"),
)

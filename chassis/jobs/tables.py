"""The jobs table, the only record of a job's state, and those of schedules, workers, log lines and undo.

Times are seconds since 1970.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from chassis.db import metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("error", Text),
    Column("owner", String(160)),
    Column("lease_expires_at", Float),
    Column("cancel_requested", Boolean, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("queued_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    Column("updated_at", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("submitted_by", Text, nullable=False, server_default=""),
    Column("submitted_with", Text, nullable=False, server_default=""),
    Index("jobs_by_change", "updated_at"),
    Index("jobs_by_submitter", "submitted_by", "created_at"),
)
"""The table of jobs (SQLAlchemy), to join with tables of a feature by `jobs_table.c.id`."""
Index("jobs_by_turn", jobs.c.state, jobs.c.submitted_by, jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id)

schedules = Table(
    "schedules",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("expression", Text, nullable=False),  # with its time zone; a different one restarts the schedule
    Column("next_at", Float),  # None means never
    Column("last_at", Float),
    Column("last_job_id", String(32)),
    Column("last_success_at", Float),
    Column("skipped", Integer, nullable=False),
)

workers = Table(
    "job_workers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("engine", String(16), nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

lines = Table(
    "job_lines",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("job_id", String(32), nullable=False),
    Column("at", Float, nullable=False),
    Column("level", String(16), nullable=False),
    Column("step", String(32)),  # of the timeline: the event that began or ended an attempt
    Column("details", JSON),
    Column("worker", String(160), nullable=False),
    Column("text", Text, nullable=False),
    Index("job_lines_by_job", "job_id", "id"),
    Index("job_lines_by_age", "at"),
)

undo = Table(
    "job_undo",
    metadata,
    Column("token", String(32), primary_key=True),
    Column("job_id", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),  # of the changed job; 0 if it was deleted
    Column("at", Float, nullable=False),
    Column("former", JSON, nullable=False),  # the row before the change
    Index("job_undo_by_age", "at"),
)

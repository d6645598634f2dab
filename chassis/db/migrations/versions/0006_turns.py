"""Add an index for choosing the next queued job: by state, submitter, priority and age."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_index("jobs_by_state", "jobs")
    op.create_index("jobs_by_turn", "jobs", ["state", "submitted_by", sa.text("priority DESC"), "queued_at", "id"])

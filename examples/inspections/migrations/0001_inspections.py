"""Inspections and their images."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id"), nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("inspections_by_owner", "inspections", ["owner", "created_at"])
    op.create_index("inspections_by_age", "inspections", ["created_at"])
    op.create_table(
        "inspection_images",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("inspection_id", sa.String(32), sa.ForeignKey("inspections.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_id", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("origin", sa.Text, unique=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("score", sa.Float),
        sa.Column("detail", sa.Text),
        sa.Column("classifier", sa.String(32)),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.Column("thumbnail", sa.LargeBinary),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("corrected_to", sa.String(16)),
        sa.Column("corrected_by", sa.Text),
        sa.Column("corrected_at", sa.Float),
        sa.Column("note", sa.Text),
    )
    op.create_index("inspection_images_by_place", "inspection_images", ["inspection_id", "position"], unique=True)
    op.create_index("inspection_images_by_owner", "inspection_images", ["owner", "created_at", "position"])
    op.create_index("inspection_images_by_age", "inspection_images", ["created_at", "position"])
    op.create_index("inspection_images_by_content", "inspection_images", ["sha256", "finished_at"])

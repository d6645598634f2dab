"""How many bytes each batch stores, counted once for those that are there."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
SIZES = {"postgresql": "octet_length({}::text)", "sqlite": "length(CAST({} AS BLOB))"}


def upgrade() -> None:
    op.add_column("predictions", sa.Column("stored_bytes", sa.BigInteger, nullable=False, server_default="0"))
    size = SIZES[op.get_context().dialect.name].format
    row = f"{size('input')} + COALESCE({size('output')}, 0) + COALESCE({size('error')}, 0)"
    found = f"SELECT COALESCE(SUM({row}), 0) FROM prediction_rows WHERE prediction_id = predictions.id"  # noqa: S608
    op.execute(f"UPDATE predictions SET stored_bytes = {size('prompt')} + ({found})")  # noqa: S608

"""Conversations, messages, documents, and passages with their full-text index."""

import sqlalchemy as sa
from alembic import op

from chassis.search import Vector, add_full_text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chat_conversations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_index("chat_conversations_by_owner", "chat_conversations", ["owner", "changed_at"])
    op.create_index("chat_conversations_by_age", "chat_conversations", ["changed_at"])
    op.create_table(
        "chat_messages",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("conversation_id", sa.String(32), _of("chat_conversations.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("sources", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("chat_messages_by_place", "chat_messages", ["conversation_id", "position"], unique=True)
    op.create_table(
        "chat_documents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("passages", sa.Integer, nullable=False),
        sa.Column("indexed_at", sa.Float),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("chat_documents_by_owner", "chat_documents", ["owner", "created_at"])
    op.create_index("chat_documents_by_age", "chat_documents", ["created_at"])
    op.create_table(
        "chat_passages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String(32), sa.ForeignKey("chat_documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("embedder", sa.Text, nullable=False),
        sa.Column("vector", Vector, nullable=False),
    )
    op.create_index("chat_passages_by_document", "chat_passages", ["document_id"])
    add_full_text(op, "chat_passages")


def _of(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")

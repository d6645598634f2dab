"""Conversations, messages, documents and chunks, with their full-text index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

VECTOR = sa.LargeBinary().with_variant(sa.ARRAY(sa.REAL), "postgresql")
POSTGRESQL = ["CREATE INDEX chat_chunks_by_words ON chat_chunks USING gin (to_tsvector('english', text))"]
SQLITE = [
    "CREATE VIRTUAL TABLE chat_words USING fts5(text, content='chat_chunks', content_rowid='id', tokenize='porter')",
    "CREATE TRIGGER chat_chunks_added AFTER INSERT ON chat_chunks BEGIN "
    "INSERT INTO chat_words (rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER chat_chunks_removed AFTER DELETE ON chat_chunks BEGIN "
    "INSERT INTO chat_words (chat_words, rowid, text) VALUES ('delete', old.id, old.text); END",
]


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
        sa.Column(
            "conversation_id", sa.String(32), sa.ForeignKey("chat_conversations.id", ondelete="CASCADE"), nullable=False
        ),
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
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("embedder", sa.Text, nullable=False),
        sa.Column("indexed_at", sa.Float),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("chat_documents_by_owner", "chat_documents", ["owner", "created_at"])
    op.create_index("chat_documents_by_age", "chat_documents", ["created_at"])
    op.create_table(
        "chat_chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String(32), _of("chat_documents.id"), nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("vector", VECTOR, nullable=False),
    )
    op.create_index("chat_chunks_by_document", "chat_chunks", ["document_id"])
    for statement in POSTGRESQL if op.get_context().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def _of(column: str) -> sa.ForeignKey:
    return sa.ForeignKey(column, ondelete="CASCADE")

"""The tables of the chat: conversations and their messages, documents and the passages that are searched."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from chassis.db import metadata
from chassis.search import SearchIndex

conversations = Table(
    "chat_conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("chat_conversations_by_owner", "owner", "changed_at"),
    Index("chat_conversations_by_age", "changed_at"),
)

messages = Table(
    "chat_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", String(32), ForeignKey("chat_conversations.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("until", Float, nullable=False),  # of an answer that is being written
    Column("error", Text),
    Column("model", Text),
    Column("sources", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("chat_messages_by_place", "conversation_id", "position", unique=True),
)

documents = Table(
    "chat_documents",
    metadata,
    Column("id", String(32), primary_key=True),  # that of its file
    Column("owner", Text, nullable=False),
    Column("job_id", String(32), nullable=False),  # its row may be deleted before this one
    Column("name", Text, nullable=False),
    Column("passages", Integer, nullable=False),
    Column("indexed_at", Float),
    Column("created_at", Float, nullable=False),
    Index("chat_documents_by_owner", "owner", "created_at"),
    Index("chat_documents_by_age", "created_at"),
)

index = SearchIndex("chat_passages", documents)
passages = index.table

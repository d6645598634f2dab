"""The tables of people: accounts, their sessions, one-time links, and attempts to sign in."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from chassis.db import metadata
from chassis.parts.accounts import factor_tables  # noqa: F401 - the boot imports this module for all tables

users = Table(
    "users",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),  # as emails.normal makes it
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("disabled_at", Float),
    Column("last_sign_in_at", Float),
)
sessions = Table(
    "user_sessions",
    metadata,
    Column("id", String(16), primary_key=True),  # public; it gives no access
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("last_seen_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("address", String(64), nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("factor_at", Float),  # when the person showed a second factor
    Column("proved_at", Float),  # when the person last showed a password or a second factor
    Index("user_sessions_by_user", "user_id"),
    Index("user_sessions_by_end", "expires_at"),
)
links = Table(
    "user_links",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of the link's secret
    Column("purpose", String(16), nullable=False),
    Column("email", String(254), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float),
    Column("made_by", Text, nullable=False, server_default=""),  # an owner; empty for older links
    Index("user_links_by_email", "email"),
)
identities = Table(
    "user_identities",
    metadata,
    Column("issuer", String(255), primary_key=True),  # of the provider
    Column("subject", String(255), primary_key=True),  # the person's permanent id there; an e-mail may change hands
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False),
    Column("created_at", Float, nullable=False),
    Index("user_identities_by_user", "user_id"),
)
used_states = Table(
    "oidc_used_states",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of a returned state
    Column("used_at", Float, nullable=False),
)
# Not columns of `users`: an e-mail without an account is locked in the same way, so that locks reveal nothing.
attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("subject", String(80), primary_key=True),  # a hashed e-mail, or an address
    Column("failures", Integer, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("locked_until", Float, nullable=False),
    Index("sign_in_attempts_by_age", "last_at"),
)

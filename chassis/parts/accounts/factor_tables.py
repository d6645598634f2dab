"""The tables of second factors: the factors, the recovery codes, and the sessions' challenges."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, String, Table, Text

from chassis.db import metadata

factors = Table(
    "user_factors",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # totp or passkey
    Column("name", Text, nullable=False),
    Column("credential", Text, unique=True),  # a passkey's id, base64url
    Column("secret", Text, nullable=False),  # a sealed TOTP secret, or a passkey's public key
    Column("counter", BigInteger, nullable=False),  # the last used time step, or a passkey's signature counter
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float),
    Index("user_factors_by_user", "user_id"),
)
recovery_codes = Table(
    "user_recovery_codes",
    metadata,
    Column("hash", String(64), primary_key=True),  # SHA-256 of 80 random bits
    Column("user_id", String(16), ForeignKey("users.id"), nullable=False),
    Index("user_recovery_codes_by_user", "user_id"),
)
# What a session's browser was asked to sign, or shown as a QR code, until it answers.
challenges = Table(
    "user_challenges",
    metadata,
    Column("session_id", String(16), primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("value", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
)

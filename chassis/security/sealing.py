"""Encrypts a short secret in the database and its backups with keys derived from SECRET_KEY.

The core has no encryption library, and a secret here is short, so this is the textbook's encryption with a pseudorandom
function: XOR with HMAC-SHA256 of a single-use nonce and the number of the block, then a second HMAC over all of it,
checked first (Bellare and Rogaway, Introduction to Modern Cryptography, 2005, chapters 5 and 9).
"""

import hmac
import secrets
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from chassis.errors import Conflict
from chassis.security import signing

__all__ = ["Sealed", "Unreadable", "seal", "unseal"]

VERSION = "1"
NONCE_BYTES, TAG_BYTES, BLOCK_BYTES = 16, 32, 32
MAX_BYTES = 128 * BLOCK_BYTES  # of the secret; larger ones deserve a faster cipher


def seal(secret: bytes, purpose: str) -> str:
    """Return a secret of at most 4,096 bytes in encrypted form; `purpose` must be the same for `unseal`."""
    if len(secret) > MAX_BYTES:
        raise ValueError(f"at most {MAX_BYTES} bytes can be sealed")
    return _sealed(secret, signing.secret_keys()[0], purpose)


def unseal(stored: str, purpose: str) -> tuple[bytes, bool]:
    """Return the secret, and whether an earlier SECRET_KEY encrypted it; raise Conflict when no key fits."""
    for number, key in enumerate(signing.secret_keys()):
        if (secret := _opened(stored, key, purpose)) is not None:
            return secret, number > 0
    raise Conflict("SECRET_KEY has changed since this was stored, so it can no longer be read.", code="unreadable")


class Unreadable(str):
    """The empty text that a sealed one is read as after SECRET_KEY has changed; stored again, it stays as it was."""

    stored: str


class Sealed(TypeDecorator[str]):
    """The type of a column with a text that is encrypted where it is stored: `Column("key", Sealed("albums-key"))`.

    Each purpose has keys of its own. An empty text is stored as such. The text has at most 4,096 bytes.
    """

    impl = Text
    cache_ok = True

    def __init__(self, purpose: str = "") -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is stored of a text."""
        if isinstance(value, Unreadable):
            return value.stored
        return seal(value.encode(), self.purpose) if value else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Return the text, or an `Unreadable` one."""
        if not value:
            return value
        try:
            return unseal(value, self.purpose)[0].decode()
        except Conflict:
            unreadable = Unreadable()
            unreadable.stored = value
            return unreadable


def _sealed(secret: bytes, key: str, purpose: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    hidden = _xor(secret, _pad(key, purpose, nonce, len(secret)))
    tag = _mac(key, f"{purpose}:tag", nonce + hidden)
    return f"{VERSION}.{(nonce + hidden + tag).hex()}"


def _opened(stored: str, key: str, purpose: str) -> bytes | None:
    version, _, rest = stored.partition(".")
    try:
        raw = bytes.fromhex(rest)
    except ValueError:
        return None
    nonce, hidden, tag = raw[:NONCE_BYTES], raw[NONCE_BYTES:-TAG_BYTES], raw[-TAG_BYTES:]
    if version != VERSION or not hmac.compare_digest(tag, _mac(key, f"{purpose}:tag", nonce + hidden)):
        return None
    return _xor(hidden, _pad(key, purpose, nonce, len(hidden)))


def _pad(key: str, purpose: str, nonce: bytes, length: int) -> bytes:
    """Return the pad's blocks; the first has no number, as all had that were sealed when a secret was one block."""
    numbers = range((length + BLOCK_BYTES - 1) // BLOCK_BYTES)
    return b"".join(_mac(key, f"{purpose}:hide", nonce + (bytes([number]) if number else b"")) for number in numbers)


def _mac(key: str, label: str, message: bytes) -> bytes:
    derived = hmac.digest(key.encode(), f"seal:{label}".encode(), "sha256")
    return hmac.digest(derived, message, "sha256")


def _xor(text: bytes, pad: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(text, pad, strict=False))

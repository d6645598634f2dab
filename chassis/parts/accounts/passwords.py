"""Passwords: which ones are accepted, and how they are hashed: outside of the hub, a few at a time."""

import secrets
import threading
from collections.abc import Callable
from typing import TypeVar

import argon2

from chassis.base.concurrency import run_in_thread
from chassis.base.texts import normalized
from chassis.errors import BadRequest, Forbidden, Unavailable
from chassis.parts.accounts import strength
from chassis.parts.accounts.memory import return_large_blocks
from chassis.parts.accounts.settings import OidcSettings
from chassis.web.pages import app_name
from chassis.wiring import current_settings

T = TypeVar("T")
MIN_CHARACTERS, MAX_BYTES = 12, 1_024
GENERATED_BYTES = 24  # 32 characters
AT_ONCE = 2  # each takes 19 MiB and a core
MAX_WAIT_SECONDS = 20
# OWASP's Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane.
_hasher = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# The hash for an e-mail without an account, so that the check takes as long as for a wrong password.
NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$Gn1HGR0SPcHW6ps4ZZ34xg$Tlq8J+673tIhqLczFkYzUcQA7fjjpwXP8EHvXNDtCB0"
_slots = threading.BoundedSemaphore(AT_ONCE)


def check_in_use() -> None:
    """Raise Forbidden if people sign in only through the provider."""
    if not current_settings().section(OidcSettings).password_sign_in:
        raise Forbidden("Passwords are turned off here (PASSWORD_SIGN_IN=false).", code="passwords_off")


def generated() -> str:
    """Return a random password, longer than those that the list of breached ones may name by chance."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def check(password: str, email: str, name: str = "") -> None:
    """Raise BadRequest, with hints, when a new password is easy to guess for somebody who knows its owner."""
    plain = _of_good_length(password).decode("utf-8", "surrogatepass")
    if len(plain) < MIN_CHARACTERS:
        raise _weak(f"A password must have at least {MIN_CHARACTERS} characters.")
    known = (email, name, app_name(), current_settings().public_url)
    if hints := _beside(lambda: strength.hints(plain, known)):
        raise _weak(" ".join(["This password is easy to guess.", *hints]))


def hashed(password: str) -> str:
    """Return the hash to store for a password; raise BadRequest when the password is too long."""
    encoded = _of_good_length(password)
    return _beside(lambda: _hasher.hash(encoded))


def is_right(password: str, stored: str | None) -> bool:
    """Return whether the password is right; without a stored hash the check takes the same time."""
    encoded = _encoded(password)

    def work() -> bool:
        try:
            return _hasher.verify(stored or NOBODYS, encoded or b"")
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    return _beside(work) and bool(stored) and encoded is not None


def is_outdated(stored: str) -> bool:
    """Return whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _encoded(password: str) -> bytes | None:
    """Return the bytes to hash, or None for too many; keyboards encode the same letter in several ways."""
    try:
        encoded = normalized(password, MAX_BYTES).encode("utf-8", "surrogatepass")
    except ValueError:
        return None
    return encoded if len(encoded) <= MAX_BYTES else None


def _of_good_length(password: str) -> bytes:
    encoded = _encoded(password)
    if encoded is None:
        raise _weak(f"A password may have at most {MAX_BYTES} bytes.")
    return encoded


def _beside(work: Callable[[], T]) -> T:
    return_large_blocks()
    if not _slots.acquire(timeout=MAX_WAIT_SECONDS):
        raise Unavailable("Many people are signing in right now: try again shortly.", code="busy")
    try:
        return run_in_thread(work)
    finally:
        _slots.release()


def _weak(sentence: str) -> BadRequest:
    return BadRequest(sentence, code="weak_password")

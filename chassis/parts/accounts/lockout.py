"""Slows down who guesses: after some wrong passwords an account and an address are locked, each time for longer.

A browser with which somebody signed in to the account before (devices.py) is counted for itself: guesses from elsewhere
lock nobody out of a known browser. An attempt is counted before its password is looked at, so that many at once are not
more guesses, and taken back when it was right. It counts by e-mail whether there is such an account or not.
"""

import math
import time
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from chassis.db import db
from chassis.errors import TooManyRequests
from chassis.parts.accounts import devices
from chassis.parts.accounts.tables import attempts
from chassis.security.proxies import limited_as

FREE_OF_ACCOUNT, FREE_OF_ADDRESS = 5, 30  # people share addresses
FIRST_SECONDS, LONGEST_SECONDS = 30, 900
FORGET_SECONDS = 86_400
MAX_ROWS = 10_000


@dataclass(frozen=True)
class Subject:
    """Whose attempts are counted, and how many are free of delay."""

    name: str
    free: int
    shared: bool = False  # with others, whose attempts are not forgotten when one of them was right


class TooManyAttempts(TooManyRequests):
    """Locked: said before the password is looked at, right or wrong."""

    code = "too_many_attempts"

    def __init__(self, seconds: float) -> None:
        seconds = max(1, math.ceil(seconds))
        super().__init__(f"Too many attempts. Try again in {_words(seconds)}.", retry_after_seconds=seconds)


def account(email: str) -> Subject:
    """Return the subject of an e-mail, known or not; what was typed there may be a password, so it is hashed."""
    return Subject(f"account:{devices.digest(email)}", FREE_OF_ACCOUNT)


def device(email: str, device_id: str) -> Subject:
    """Return the subject of a known browser of an account."""
    return Subject(f"{_devices(email)}{device_id[:32]}", FREE_OF_ACCOUNT)


def subjects(email: str, remote: str) -> list[Subject]:
    """Return what an attempt at an account is counted by: a known browser, or else the account and the address."""
    if device_id := devices.known(email):
        return [device(email, device_id)]
    return [account(email), address(remote)]


def address(text: str, what: str = "address") -> Subject:
    """Return the subject of an address; of IPv6 one has a whole /64 network to itself."""
    return Subject(f"{what}:{limited_as(text)[:50]}", FREE_OF_ADDRESS, shared=True)


def count(*subjects: Subject) -> bool:
    """Count an attempt of each; return whether one of them is locked if it was wrong.

    Raises TooManyAttempts, and counts none, when one of them is locked already.
    """
    now = time.time()

    def write(conn: Connection) -> bool:
        locked = [_count(conn, subject, now) for subject in subjects]  # all of them count
        return any(locked)

    return db.write(write)


def take_back(conn: Connection, *subjects: Subject) -> None:
    """Forget an attempt that was right, and those before it, but for an address: that has others who guess."""
    for subject in subjects:
        if subject.shared:
            take_one_back(conn, subject)
        else:
            conn.execute(delete(attempts).where(attempts.c.subject == subject.name))


def take_one_back(conn: Connection, *subjects: Subject) -> None:
    """Forget an attempt that was right, and none before it."""
    fewer = update(attempts).values(failures=attempts.c.failures - 1, locked_until=0)
    conn.execute(fewer.where(attempts.c.subject.in_([subject.name for subject in subjects])))


def unlock(conn: Connection, email: str) -> None:
    """Forget all attempts at an account, from known browsers too."""
    theirs = attempts.c.subject.startswith(_devices(email), autoescape=True)
    conn.execute(delete(attempts).where(or_(attempts.c.subject == account(email).name, theirs)))


def delay_seconds(failures: int, free: int) -> float:
    """Return how long it is locked after so many failures: twice as long each time."""
    return min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures - free, 20)) if failures >= free else 0


def _devices(email: str) -> str:
    return f"device:{devices.digest(email)[:32]}:"


def _count(conn: Connection, subject: Subject, now: float) -> bool:
    mine = attempts.c.subject == subject.name
    failures = case((attempts.c.last_at < now - FORGET_SECONDS, 1), else_=attempts.c.failures + 1)
    free_now = update(attempts).where(mine, attempts.c.locked_until <= now).values(failures=failures, last_at=now)
    if conn.execute(free_now).rowcount == 0:
        until = conn.execute(select(attempts.c.locked_until).where(mine)).scalar()
        if until is not None:
            raise TooManyAttempts(until - now)
        if not _insert(conn, subject, now):
            return _count(conn, subject, now)
    number = conn.execute(select(attempts.c.failures).where(mine)).scalar_one()
    if delay := delay_seconds(number, subject.free):
        conn.execute(update(attempts).where(mine).values(locked_until=now + delay))
    return delay > 0


def _insert(conn: Connection, subject: Subject, now: float) -> bool:
    """Begin to count; False when another process has begun meanwhile."""
    _make_room(conn, now)
    try:
        with conn.begin_nested():
            conn.execute(attempts.insert().values(subject=subject.name, failures=1, last_at=now, locked_until=0))
    except IntegrityError:
        return False
    return True


def _make_room(conn: Connection, now: float) -> None:
    """Forget what is old, and where there are too many those with the fewest failures: no flood unlocks an account.

    A hundredth of them goes at once, so that a flood does not sort the table with each attempt.
    """
    conn.execute(delete(attempts).where(attempts.c.last_at < now - FORGET_SECONDS))
    over = conn.execute(select(func.count()).select_from(attempts)).scalar_one() - MAX_ROWS
    if over >= 0:
        fewest = select(attempts.c.subject).order_by(attempts.c.failures, attempts.c.locked_until, attempts.c.last_at)
        least = list(conn.execute(fewest.limit(over + max(1, MAX_ROWS // 100))).scalars())
        conn.execute(delete(attempts).where(attempts.c.subject.in_(least)))


def _words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"

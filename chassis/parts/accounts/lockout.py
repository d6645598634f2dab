"""Slows down guessing: after several wrong passwords an account and an address are locked, each time for longer.

A browser that has signed in to the account before (devices.py) is counted separately: guesses from elsewhere do not
lock out a known browser. An attempt is counted before its password is checked, so that concurrent attempts are not
extra guesses, and is taken back when it was right. Attempts are counted by e-mail whether or not it has an account.
"""

import math
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from chassis.db import clock, db
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
    """Something whose attempts are counted, and the number of attempts without a delay."""

    name: str
    free: int
    shared: bool = False  # by several people, whose attempts are kept when one of them is right


class TooManyAttempts(TooManyRequests):
    """The subject is locked; raised before the password is checked, whether it is right or wrong."""

    code = "too_many_attempts"

    def __init__(self, seconds: float) -> None:
        seconds = max(1, math.ceil(seconds))
        super().__init__(f"Too many attempts. Try again in {_words(seconds)}.", retry_after_seconds=seconds)


def account(email: str) -> Subject:
    """Return the subject of an e-mail, known or not; it is hashed, since the text may be a password."""
    return Subject(f"account:{devices.digest(email)}", FREE_OF_ACCOUNT)


def device(email: str, device_id: str) -> Subject:
    """Return the subject of a known browser of an account."""
    return Subject(f"{_devices(email)}{device_id[:32]}", FREE_OF_ACCOUNT)


def subjects(email: str, remote: str) -> list[Subject]:
    """Return the subjects of an attempt at an account: a known browser, otherwise the account and the address."""
    if device_id := devices.known(email):
        return [device(email, device_id)]
    return [account(email), address(remote)]


def address(text: str, what: str = "address") -> Subject:
    """Return the subject of an address; an IPv6 client has a whole /64 network."""
    return Subject(f"{what}:{limited_as(text)[:50]}", FREE_OF_ADDRESS, shared=True)


def count(*subjects: Subject) -> bool:
    """Count an attempt for each subject; return whether one of them is locked if the attempt was wrong.

    Raises TooManyAttempts without counting when one of them is already locked.
    """
    now = clock.now()

    def write(conn: Connection) -> bool:
        locked = [_count(conn, subject, now) for subject in subjects]  # a list, so that every subject is counted
        return any(locked)

    return db.write(write)


def take_back(conn: Connection, *subjects: Subject) -> None:
    """Forget a right attempt and all before it; for a shared address, where others may guess, only that one."""
    for subject in subjects:
        if subject.shared:
            take_one_back(conn, subject)
        else:
            conn.execute(delete(attempts).where(attempts.c.subject == subject.name))


def take_one_back(conn: Connection, *subjects: Subject) -> None:
    """Forget a right attempt, but none before it."""
    fewer = update(attempts).values(failures=attempts.c.failures - 1, locked_until=0)
    conn.execute(fewer.where(attempts.c.subject.in_([subject.name for subject in subjects])))


def unlock(conn: Connection, email: str) -> None:
    """Forget all attempts at an account, including those from known browsers."""
    theirs = attempts.c.subject.startswith(_devices(email), autoescape=True)
    conn.execute(delete(attempts).where(or_(attempts.c.subject == account(email).name, theirs)))


def delay_seconds(failures: int, free: int) -> float:
    """Return the lock's duration after some failures, which doubles with each; 0 without a lock."""
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
    """Insert a subject's row; return False when another process has inserted it."""
    _make_room(conn, now)
    try:
        with conn.begin_nested():
            conn.execute(attempts.insert().values(subject=subject.name, failures=1, last_at=now, locked_until=0))
    except IntegrityError:
        return False
    return True


def _make_room(conn: Connection, now: float) -> None:
    """Delete expired rows, and above the maximum those with the fewest failures: a flood must not unlock an account.

    A hundredth of them is deleted at once, so that a flood does not sort the table with each attempt.
    """
    conn.execute(delete(attempts).where(attempts.c.last_at < now - FORGET_SECONDS))
    over = conn.execute(select(func.count()).select_from(attempts)).scalar_one() - MAX_ROWS
    if over >= 0:
        fewest = select(attempts.c.subject).order_by(attempts.c.failures, attempts.c.locked_until, attempts.c.last_at)
        least = list(conn.execute(fewest.limit(over + max(1, MAX_ROWS // 100))).scalars())
        conn.execute(delete(attempts).where(attempts.c.subject.in_(least)))


def _words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"

"""The worker's number in each session id: `7.kZ3...` belongs to worker 7."""

import re
from collections.abc import Callable

OWNER = re.compile(rb"[?&]sid=([1-9][0-9]{0,8})\.")
BEGINS = re.compile(rb"GET [^ ]*[?&]EIO=")
LINE_BYTES = 8_192  # a longer request line is refused by gunicorn anyway


def marked(generate: Callable[[], str], number: int) -> Callable[[], str]:
    """Return a generator of session ids that carry a worker's number."""
    return lambda: f"{number}.{generate()}"


def owner_of(sid: str) -> int:
    """Return the number of the worker that made a session id, or 0 if it carries none."""
    number, dot, _ = sid.partition(".")
    return int(number) if dot and number.isdecimal() and len(number) < 10 else 0


def has_line(head: bytes) -> bool:
    """Return whether the start of a request holds its whole first line, or more than such a line may have."""
    return b"\n" in head.lstrip(b"\r\n") or len(head) > LINE_BYTES


def first_line(head: bytes) -> bytes:
    """Return the first line of a request; an empty line may come before it (RFC 9112, 2.2)."""
    return head.lstrip(b"\r\n").partition(b"\n")[0]


def asked_for(line: bytes) -> int:
    """Return the number of the worker whose session a request is for, or 0 if it is for none."""
    found = OWNER.search(line)
    return int(found[1]) if found else 0


def begins(line: bytes) -> bool:
    """Return whether a request begins a session."""
    return BEGINS.match(line) is not None and b"sid=" not in line

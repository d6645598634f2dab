"""Hooks that write in the transaction of a job's end, so that a process that dies in between loses nothing."""

from collections.abc import Callable

from sqlalchemy import Connection

from chassis.jobs.model import Job

Ended = Callable[[Connection, Job], None]
_hooks: dict[str, Ended] = {}


def on_end(name: str, hook: Ended) -> None:
    """Call `hook(conn, job)` in the transaction that ends a job; it must not log, wait or raise."""
    _hooks[name] = hook


def ended(conn: Connection, job: Job) -> None:
    """Call every hook for a job that has just ended."""
    for hook in _hooks.values():
        hook(conn, job)

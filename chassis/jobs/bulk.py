"""Changes many jobs at once for an operator, who can take it back; each change is written to the audit log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.jobs import queries, registry, store, undo
from chassis.jobs.model import Job
from chassis.jobs.service import announce
from chassis.security import audit

REQUEUE, CANCEL, DELETE = "requeue", "cancel", "delete"
AT_ONCE = 100  # jobs in a transaction, so that other writers get a turn
Change = Callable[[Connection, str, float], Job | None]
Changed = tuple[list[Job], int]
"""The changed jobs, and how many of them can be taken back."""


def requeue(job_ids: Sequence[str], token: str) -> Changed:
    """Queue ended jobs again; jobs that wait, run or do not exist are skipped."""
    return _carry_out(REQUEUE, job_ids, token, store.requeue)


def cancel(job_ids: Sequence[str], token: str) -> Changed:
    """Cancel waiting jobs and ask running ones to stop, which cannot be taken back."""
    return _carry_out(CANCEL, job_ids, token, store.cancel)


def delete(job_ids: Sequence[str], token: str) -> Changed:
    """Delete ended jobs; those whose feature has rows for them are skipped.

    Their log lines stay until the deletion cannot be taken back any more.
    """
    kinds = registry.deletable()
    return _carry_out(DELETE, job_ids, token, lambda conn, job_id, _now: store.delete_row(conn, job_id, kinds))


def take_back(token: str) -> tuple[int, int]:
    """Take back the changes with a token; return how many, and how many jobs have changed since."""
    line, missed = audit.entry("job.undo", ""), 0

    def write(conn: Connection) -> list[Job]:
        nonlocal missed
        restored, missed = undo.restore(conn, token)
        _note(conn, line, restored)
        return restored

    restored = db.write(write)
    _announce(line, restored, restored)
    return len(restored), missed


def matching(action: str, asked: Mapping[str, str | None], until: float, limit: int) -> list[str]:
    """Return the ids of jobs that match what an operator looked for at a time and that an action can change.

    A job that was changed is not returned again for the same time.
    """
    able = queries.endable(until) if action == CANCEL else queries.ended_until(until)
    kinds = registry.deletable() if action == DELETE else None
    return db.read(lambda conn: queries.ids_asked(conn, asked, able, kinds=kinds, limit=limit), unbounded=True)


def _carry_out(action: str, job_ids: Sequence[str], token: str, change: Change) -> Changed:
    found: list[Job] = []
    able = 0
    for first in range(0, len(job_ids), AT_ONCE):
        some, noted = _some(action, job_ids[first:][:AT_ONCE], token, change)
        found, able = found + some, able + noted
    return found, able


def _some(action: str, job_ids: Sequence[str], token: str, change: Change) -> Changed:
    """Change some jobs and write the entry of the audit log in one transaction."""
    line = audit.entry(f"job.{action}", "")

    def write(conn: Connection) -> Changed:
        former = {job.id: job for job in queries.by_ids(conn, job_ids)}
        changed = [job for job in (change(conn, job_id, clock.now()) for job_id in job_ids) if job is not None]
        noted = undo.note(conn, token, former, changed)
        _note(conn, line, changed)
        return changed, noted

    changed, noted = db.write(write)
    _announce(line, changed, () if action == DELETE else changed)
    return changed, noted


def _note(conn: Connection, line: dict[str, Any], changed: Sequence[Job]) -> None:
    """Write the entry of the audit log, unless nothing changed: one job's id, or the number and the first ids."""
    names = ", ".join(job.id for job in changed)
    line["target"] = (names if len(changed) == 1 else f"{len(changed)} jobs: {names}")[: audit.MAX_CHARACTERS]
    if changed:
        audit.write(conn, line)


def _announce(line: dict[str, Any], changed: Sequence[Job], alive: Sequence[Job]) -> None:
    if changed:
        audit.tell(line)
    for job in alive:
        announce(job)

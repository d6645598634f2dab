"""Changes many jobs at once for an operator; each change is written to the audit log."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.jobs import queries, registry, store
from chassis.jobs.model import INTERRUPTED, Job
from chassis.jobs.service import announce
from chassis.security import audit

REQUEUE, CANCEL, DELETE = "requeue", "cancel", "delete"
AT_ONCE = 100  # jobs in a transaction, so that other writers get a turn
Change = Callable[[Connection, str, float], Job | None]


def requeue(job_ids: Sequence[str]) -> list[Job]:
    """Queue ended jobs again; return the changed ones; jobs that wait, run or do not exist are skipped."""
    return _carry_out("job.requeue", job_ids, store.requeue)


def cancel(job_ids: Sequence[str]) -> list[Job]:
    """Cancel waiting jobs and ask running ones to stop; return those that were changed."""
    return _carry_out("job.cancel", job_ids, store.cancel)


def delete(job_ids: Sequence[str]) -> list[Job]:
    """Delete ended jobs with their log lines; return them; those whose feature has rows for them are skipped."""
    kinds = registry.deletable()
    return _carry_out("job.delete", job_ids, lambda conn, job_id, _now: store.delete_one(conn, job_id, kinds))


def matching(action: str, asked: Mapping[str, str | None], until: float, limit: int) -> list[str]:
    """Return the ids of jobs that match what an operator looked for at a time and that an action can change.

    A job that was changed is not returned again for the same time.
    """
    able = queries.endable(until) if action == CANCEL else queries.ended_until(until)
    kinds = registry.deletable() if action == DELETE else None
    return db.read(lambda conn: queries.ids_asked(conn, asked, able, kinds=kinds, limit=limit), unbounded=True)


def requeue_interrupted() -> int:
    """Queue all interrupted jobs again; return their number."""
    found = 0
    while job_ids := db.read(lambda conn: queries.ids_in(conn, INTERRUPTED, AT_ONCE)):
        changed = len(requeue(job_ids))
        if not changed:
            break  # another process was first
        found += changed
    return found


def _carry_out(action: str, job_ids: Sequence[str], change: Change) -> list[Job]:
    return [
        job for first in range(0, len(job_ids), AT_ONCE) for job in _some(action, job_ids[first:][:AT_ONCE], change)
    ]


def _some(action: str, job_ids: Sequence[str], change: Change) -> list[Job]:
    """Change some jobs and write the entry of the audit log in one transaction."""
    line = audit.entry(action, "")

    def write(conn: Connection) -> list[Job]:
        changed = [job for job in (change(conn, job_id, clock.now()) for job_id in job_ids) if job is not None]
        line["target"] = _named(changed)
        if changed:
            audit.write(conn, line)
        return changed

    changed = db.write(write)
    if changed:
        audit.tell(line)
    for job in changed if action != "job.delete" else ():
        announce(job)
    return changed


def _named(changed: Sequence[Job]) -> str:
    """Return one job's id, or the number of jobs and the first ids."""
    names = ", ".join(job.id for job in changed)
    return (names if len(changed) == 1 else f"{len(changed)} jobs: {names}")[: audit.MAX_CHARACTERS]

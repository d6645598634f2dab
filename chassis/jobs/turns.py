"""Chooses the next job fairly: the submitter with the fewest running jobs first, then priority and age.

What a claim reads grows with the number of submitters whose jobs wait, not with the number of their jobs: it skips
through the index `jobs_by_turn` from submitter to submitter. Jobs without a submitter share one turn.
"""

from sqlalchemy import CTE, Select, bindparam, func, select

from chassis.jobs.model import QUEUED, RUNNING
from chassis.jobs.tables import jobs

MOST_SUBMITTERS = 100_000  # per claim; the limit also keeps planners from evaluating each first job several times
ORDER = (jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id)
READY = (jobs.c.not_before <= bindparam("now"), jobs.c.kind.in_(bindparam("kinds", expanding=True)))


def _fair() -> Select[str]:
    """Select the best of the submitters' first jobs, skipping those that another process is claiming."""
    waiting, first, busy = _waiting(), jobs.alias("first"), jobs.alias("busy")
    mine = jobs.c.submitted_by == waiting.c.submitter
    head = select(jobs.c.id).where(jobs.c.state == QUEUED, mine, *READY).order_by(*ORDER).limit(1)
    running = select(func.count()).where(busy.c.state == RUNNING, busy.c.submitted_by == waiting.c.submitter)
    heads = select(
        head.correlate(waiting).scalar_subquery().label("id"),
        running.correlate(waiting).scalar_subquery().label("running"),
    ).where(waiting.c.submitter.is_not(None))
    turn = heads.limit(MOST_SUBMITTERS).subquery("turn")
    query = select(first.c.id).join(turn, turn.c.id == first.c.id).where(first.c.state == QUEUED)
    query = query.order_by(turn.c.running, first.c.priority.desc(), first.c.queued_at, first.c.id).limit(1)
    return query.with_for_update(of=first, skip_locked=True)


def _beside() -> Select[str]:
    """Select any job that no other process is claiming; with few submitters all first jobs can be locked."""
    query = select(jobs.c.id).where(jobs.c.state == QUEUED, *READY).order_by(jobs.c.submitted_by, *ORDER)
    return query.limit(1).with_for_update(skip_locked=True).correlate(None)


def _waiting() -> CTE:
    """Return the submitters that have queued jobs, followed by a NULL."""
    first = select(func.min(jobs.c.submitted_by).label("submitter")).where(jobs.c.state == QUEUED)
    waiting = first.cte("waiting", recursive=True)
    later = jobs.alias("later")
    following = select(func.min(later.c.submitted_by)).where(later.c.state == QUEUED)
    following = following.where(later.c.submitted_by > waiting.c.submitter).correlate(waiting)
    return waiting.union_all(select(following.scalar_subquery()).where(waiting.c.submitter.is_not(None)))


NEXT = (_fair(), _beside())
"""Select the id of the next job of `kinds` that is ready at `now`, locked on PostgreSQL: by the first, or else by the
second. They are built once, since building takes longer than running them."""

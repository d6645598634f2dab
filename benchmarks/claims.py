"""Measures the cost of a claim while 100,000 jobs wait, compared to the former claim without fair turns.

    python benchmarks/claims.py [--database-url URL] [--jobs N] [--claims N]

Both claims alternate on the same rows, each with the index that was made for it, and the medians are compared. The
queued jobs belong to one submitter, to a hundred, or to a thousand. Without a URL a new SQLite file is used.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sqlalchemy import Connection, select, text

from chassis.boot import branches
from chassis.db import db
from chassis.db.schema import upgrade
from chassis.jobs import store
from chassis.jobs.model import QUEUED, Job
from chassis.jobs.tables import jobs
from chassis.settings import Settings

KIND, LEASE_SECONDS, AT_ONCE = "nothing", 600.0, 5_000
BEFORE = "CREATE INDEX jobs_by_state ON jobs (state, priority, created_at)"
Claim = Callable[[Connection, float], Job | None]
OLD, NEW = "before", "in turns"


def in_turns(conn: Connection, now: float) -> Job | None:
    """Claim a job as the runner does now."""
    return store.claim(conn, kinds=[KIND], owner="benchmark", now=now, lease_seconds=LEASE_SECONDS)


def before(conn: Connection, now: float) -> Job | None:
    """Claim a job by priority and age alone, as the runner used to."""
    ready = (jobs.c.state == QUEUED, jobs.c.not_before <= now, jobs.c.kind.in_([KIND]))
    query = select(jobs.c.id).where(*ready).order_by(jobs.c.priority.desc(), jobs.c.queued_at, jobs.c.id).limit(1)
    job_id = conn.execute(query.with_for_update(skip_locked=True)).scalar()
    return job_id and store.claim_one(conn, job_id, owner="benchmark", now=now, lease_seconds=LEASE_SECONDS)


def fill(number: int, submitters: int) -> None:
    """Replace all jobs by that number of queued ones."""
    now = time.time()
    one = asdict(Job("", KIND, QUEUED, {}, 0, 0, 0, 0, "", None, None, None, False, now, now, now, None, None, now, 1))
    db.write(lambda conn: conn.execute(jobs.delete()))
    for first in range(0, number, AT_ONCE):
        part = range(first, min(number, first + AT_ONCE))
        rows = [one | {"id": f"{n:032}", "submitted_by": f"key:{n % submitters:08}"} for n in part]
        db.write(lambda conn, rows=rows: conn.execute(jobs.insert(), rows))  # type: ignore[misc]
    db.write(lambda conn: conn.execute(text("ANALYZE jobs")))


def seconds(claim: Claim) -> float:
    """Return how long one claim and its transaction take."""
    started = time.perf_counter()
    assert db.write(lambda conn: claim(conn, time.time())) is not None
    return time.perf_counter() - started


def compare(number: int, submitters: int, claims: int) -> dict[str, float]:
    """Return the median seconds of each claim, measured alternately."""
    fill(number, submitters)
    taken: Sequence[tuple[float, float]] = [(seconds(before), seconds(in_turns)) for _ in range(claims)]
    return {OLD: median(old for old, _ in taken), NEW: median(new for _, new in taken)}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--database-url", help="an empty database of PostgreSQL")
    parser.add_argument("--jobs", type=int, default=100_000, help="how many wait")
    parser.add_argument("--claims", type=int, default=100, help="how often each is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database_url or f"sqlite:///{folder}/benchmark.db"
        db.open(Settings(app_env="test", database_url=url, database_slow_query_seconds=60))
        upgrade(db, branches())
        db.write(lambda conn: conn.execute(text(BEFORE)))
        print(f"Medians of {arguments.claims} claims, {arguments.jobs:,} jobs wait\n")
        print(f"{'submitters':>10}{OLD:>12}{NEW:>12}")
        for submitters in (1, 100, 1_000):
            found = compare(arguments.jobs, submitters, arguments.claims)
            print(f"{submitters:>10,}{found[OLD] * 1e3:>9.2f} ms{found[NEW] * 1e3:>9.2f} ms")
        db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The jobs that this process runs: each claimed by a guarded update, and run in a thread (green if patched)."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy import Connection

from chassis.db import clock, db
from chassis.jobs import places, registry, store
from chassis.jobs.context import JobContext
from chassis.jobs.cpu import Pool
from chassis.jobs.execution import execute, release
from chassis.jobs.model import Job
from chassis.jobs.owner import claim_owner
from chassis.jobs.service import announce
from chassis.observability.metrics import JOB_WAIT
from chassis.settings import Settings

STOP_LOOK_SECONDS = 0.02
Take = Callable[[Connection, list[Job], float], Job | None]  # called with what is taken already, and the time


@dataclass
class Claim:
    """A job that this process is running."""

    job: Job
    context: JobContext
    owner: str
    started: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)


class Claims:
    """Holds at most `JOBS_CONCURRENCY` claims; sets `freed` when one ends."""

    def __init__(self, app: Flask, settings: Settings, freed: threading.Event, pool: Pool | None = None) -> None:
        self._app, self._freed, self._settings, self._pool = app, freed, settings, pool
        self._places, self._lease = settings.jobs_concurrency, settings.job_lease_seconds
        self._grace = settings.jobs_grace_seconds
        self._claims: dict[str, Claim] = {}
        self._claiming = threading.Lock()  # held from the UPDATE until the claim is in `_claims`
        self._stopping = threading.Event()

    def all(self) -> list[Claim]:
        """Return the current claims."""
        return list(self._claims.values())

    def take_ready(self, kinds: Sequence[str], most: int) -> list[Claim]:
        """Claim and start the next jobs of the given kinds in one transaction, no more than there are free slots."""

        def take(conn: Connection, taken: list[Job], now: float) -> Job | None:
            able = [name for name in kinds if not (registry.kind(name).cpu_bound and self._pool_is_full(taken))]
            return store.claim(conn, kinds=able, owner=claim_owner(), now=now, lease_seconds=self._lease)

        return self._take(take, most)

    def take_next(self, kinds: Sequence[str]) -> Claim | None:
        """Claim and start the next job of the given kinds; return None if none is ready or no slot is free."""
        return next(iter(self.take_ready(kinds, 1)), None)

    def take(self, job_id: str) -> Claim | None:
        """Claim and start a job; return None if it is not queued, not ready yet, or no slot is free."""

        def take(conn: Connection, taken: list[Job], now: float) -> Job | None:
            return store.claim_one(conn, job_id, owner=claim_owner(), now=now, lease_seconds=self._lease)

        return next(iter(self._take(take, 1)), None)

    def renew(self, claim: Claim) -> bool:
        """Extend a claim's lease; return False if the job still runs here but no longer belongs to this claim."""
        job_id, owner, lease = claim.job.id, claim.owner, self._lease
        held = db.write(lambda conn: store.heartbeat(conn, job_id=job_id, owner=owner, lease_seconds=lease))
        return held or job_id not in self._claims

    def stop(self) -> None:
        """Take no more jobs; let running ones reach a safe point within the grace period, and release the rest."""
        self._stopping.set()
        if self._claiming.acquire(timeout=self._grace):  # a job that is being claimed now is released too
            self._claiming.release()
        for claim in self.all():
            claim.context.stop("stop")
        deadline = time.monotonic() + self._grace
        while self._claims and time.monotonic() < deadline:
            time.sleep(STOP_LOOK_SECONDS)
        for claim in self.all():
            release(claim.job, claim.context, claim.owner)
            claim.context.stop("lost")

    def _take(self, take: Take, most: int) -> list[Claim]:
        with self._claiming:
            most = min(most, self._places - len(self._claims))
            if self._stopping.is_set() or most <= 0:
                return []
            now, at_once = clock.now(), self._settings.jobs_max_concurrency

            def work(conn: Connection) -> list[Job]:
                taken: list[Job] = []
                while len(taken) < most and places.free(conn, at_once) and (job := take(conn, taken, now)):
                    taken.append(job)
                return taken

            return [self._start(job) for job in db.write(work)]

    def _pool_is_full(self, taken: list[Job]) -> bool:
        """Return whether each process of the pool has a job, with those that are being claimed."""
        busy = sum(registry.kind(job.kind).cpu_bound for job in [*(claim.job for claim in self.all()), *taken])
        return self._pool is not None and busy >= self._pool.size

    def _start(self, job: Job) -> Claim:
        owner = job.owner or ""

        def save(done: int, total: int, message: str) -> None:
            now = clock.now()
            changed = db.write(
                lambda conn: store.progress(
                    conn, job_id=job.id, owner=owner, done=done, total=total, message=message, now=now
                )
            )
            if changed is None:
                context.stop("lost")
            else:
                announce(changed)

        limit = registry.kind(job.kind).time_limit(self._settings)
        context = JobContext(job.id, job.kind, job.attempt, save, time_limit_seconds=limit)
        claim = Claim(job, context, owner)
        self._claims[job.id] = claim
        JOB_WAIT.labels(job.kind).observe(max(0.0, (job.started_at or 0) - max(job.queued_at, job.not_before)))
        announce(job)
        threading.Thread(target=self._run, args=(claim,), name=f"job-{job.id}", daemon=True).start()
        return claim

    def _run(self, claim: Claim) -> None:
        try:
            with self._app.app_context():
                execute(claim.job, claim.context, claim.owner, self._stopping, self._pool)
        finally:
            del self._claims[claim.job.id]
            claim.ended.set()
            self._freed.set()

"""Claims jobs and runs them, each in a thread (a green one where the process is patched)."""

import threading
import time
from dataclasses import dataclass, field

import structlog
from flask import Flask

from app.db import db
from app.jobs import registry, schedules, store
from app.jobs.context import JobContext
from app.jobs.execution import execute, release
from app.jobs.model import Job
from app.jobs.owner import claim_owner
from app.jobs.recovery import reset_stalled
from app.jobs.service import announce
from app.jobs.signals import job_queued
from app.observability import profiling
from app.observability.metrics import JOB_WAIT
from app.security import maintenance, switches
from app.settings import Settings

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.5
ALIVE_SECONDS = 15.0


@dataclass
class Claim:
    """A job that this process runs now."""

    job: Job
    context: JobContext
    owner: str
    thread: threading.Thread | None = None
    started: float = field(default_factory=time.monotonic)


class Runner:
    """Runs up to `JOBS_CONCURRENCY` jobs at once; woken by an enqueue of this process, else polling twice a second."""

    def __init__(self, app: Flask, settings: Settings, *, cpu_bound: bool = False) -> None:
        self._app, self._cpu_bound = app, cpu_bound
        self._concurrency, self._lease = settings.jobs_concurrency, settings.job_lease_seconds
        self._grace = settings.jobs_grace_seconds
        self._claims: dict[str, Claim] = {}
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._claiming = threading.Lock()  # from a claim until it is known here
        self._renewed = self._looped = time.monotonic()
        self._thread = threading.Thread(target=self._loop, name="jobs-runner", daemon=True)

    def start(self) -> None:
        """Give back what dead owners left, then begin to claim; from here on the process can be profiled."""
        profiling.listen()
        reset_stalled(db)
        job_queued.connect(self._on_queued)
        self._thread.start()

    def stop(self) -> None:
        """Let running jobs reach a safe point within the grace, and release those that do not."""
        self._stopping.set()
        self._wake.set()
        job_queued.disconnect(self._on_queued)
        if self._claiming.acquire(timeout=self._grace):  # what is being claimed now is let go too
            self._claiming.release()
        for claim in list(self._claims.values()):
            claim.context.stop("stop")
        deadline = time.monotonic() + self._grace
        while self._claims and time.monotonic() < deadline:
            time.sleep(0.02)
        for claim in list(self._claims.values()):
            release(claim.job, claim.context, claim.owner)
            claim.context.stop("lost")

    def problem(self) -> str | None:
        """Return why this runner does not work, or None."""
        if not self._thread.is_alive():
            return "the job runner is not running"
        silent = time.monotonic() - self._looped
        return f"the job runner gave no sign of life for {silent:.0f} s" if silent > ALIVE_SECONDS else None

    def join(self, seconds: float) -> None:
        """Wait for the loop to end."""
        self._thread.join(seconds)

    def _on_queued(self, job: Job) -> None:
        self._wake.set()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._begin()
                self._look_after_claims()
            except Exception:
                log.exception("job_runner_error")  # a database that is full or locked now may not be so in a moment
            self._looped = time.monotonic()
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _begin(self) -> None:
        """Take up what waits; in maintenance what runs goes on, and nothing begins."""
        switches.look()
        if maintenance.reason() is None:
            schedules.start_due()
            self._claim_all()

    def _claim_all(self) -> None:
        """Claim for the free places, so often at most as there are places: a backlog must not keep the loop here."""
        kinds = registry.names(cpu_bound=self._cpu_bound)
        for _ in range(self._concurrency):
            if not kinds or len(self._claims) >= self._concurrency:
                return
            with self._claiming:
                if self._stopping.is_set() or not self._claim(kinds):
                    return
        self._wake.set()  # more may wait

    def _claim(self, kinds: list[str]) -> bool:
        owner, now = claim_owner(), time.time()
        job = db.write(lambda conn: store.claim(conn, kinds=kinds, owner=owner, now=now, lease_seconds=self._lease))
        if job is not None:
            self._start(job, owner)
        return job is not None

    def _start(self, job: Job, owner: str) -> None:
        def save(done: int, total: int, message: str) -> None:
            now = time.time()
            changed = db.write(
                lambda conn: store.progress(
                    conn, job_id=job.id, owner=owner, done=done, total=total, message=message, now=now
                )
            )
            if changed is None:
                context.stop("lost")
            else:
                announce(changed)

        context = JobContext(job.id, job.kind, job.attempt, save)
        claim = Claim(job, context, owner)
        claim.thread = threading.Thread(target=self._run, args=(claim,), name=f"job-{job.id}", daemon=True)
        self._claims[job.id] = claim
        JOB_WAIT.labels(job.kind).observe(max(0.0, (job.started_at or 0) - job.queued_at))
        announce(job)
        claim.thread.start()

    def _run(self, claim: Claim) -> None:
        try:
            with self._app.app_context():
                execute(claim.job, claim.context, claim.owner, self._stopping)
        finally:
            del self._claims[claim.job.id]
            self._wake.set()

    def _look_after_claims(self) -> None:
        claims = list(self._claims.values())
        flagged = db.read(lambda conn: store.cancel_flags(conn, [c.job.id for c in claims])) if claims else set()
        for claim in claims:
            limit = registry.kind(claim.job.kind).time_limit_seconds
            if claim.job.id in flagged:
                claim.context.stop("cancel")
            if limit and time.monotonic() - claim.started > limit:
                claim.context.stop("time_limit")
            claim.context.flush()
        if time.monotonic() - self._renewed >= self._lease / 3:
            self._renewed = time.monotonic()
            self._renew(claims)
            reset_stalled(db)

    def _renew(self, claims: list[Claim]) -> None:
        for claim in claims:
            if not self._heartbeat(claim) and claim.job.id in self._claims:
                claim.context.stop("lost")

    def _heartbeat(self, claim: Claim) -> bool:
        job_id, owner, now, lease = claim.job.id, claim.owner, time.time(), self._lease
        return db.write(lambda conn: store.heartbeat(conn, job_id=job_id, owner=owner, now=now, lease_seconds=lease))

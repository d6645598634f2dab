"""Looks after running jobs and schedules in a loop of its own, which no backlog delays."""

import time

from chassis.db import db
from chassis.jobs import queries, schedules
from chassis.jobs.claims import Claim, Claims
from chassis.jobs.loop import Loop
from chassis.jobs.recovery import reset_stalled
from chassis.security import maintenance
from chassis.settings import Settings

LOOK_SECONDS = 0.5


class Caretaker(Loop):
    """Cancels jobs, enforces time limits, stores progress, renews leases, resets stalled jobs, starts schedules."""

    def __init__(self, claims: Claims, settings: Settings) -> None:
        super().__init__("job_caretaker", LOOK_SECONDS)
        self._claims, self._renew_seconds = claims, settings.job_lease_seconds / 3
        self._renewed, self._refused = time.monotonic(), False

    def turn(self) -> None:
        """Check all claims and schedules once, with connections that no backlog takes."""
        with db.reserved():
            try:
                self._keep(claims := self._claims.all())
                self._look_after(claims)
            except Exception:
                self._refused = True
                raise
            if maintenance.reason() is None:
                schedules.start_due()

    def _keep(self, claims: list[Claim]) -> None:
        """Renew the leases when it is time; a renewal that fails is retried in the next turn.

        After the database was away, other processes are late with theirs too, and get time before they are judged.
        """
        if time.monotonic() - self._renewed < self._renew_seconds:
            return
        self._renew(claims)
        self._renewed = time.monotonic()
        if not self._refused:
            reset_stalled(db)
        self._refused = False

    def _look_after(self, claims: list[Claim]) -> None:
        flagged = db.read(lambda conn: queries.cancel_flags(conn, [c.job.id for c in claims])) if claims else set()
        for claim in claims:
            limit = claim.context.time_limit_seconds
            if claim.job.id in flagged:
                claim.context.stop("cancel")
            if limit and time.monotonic() - claim.started > limit:
                claim.context.stop("time_limit")
            claim.context.flush()

    def _renew(self, claims: list[Claim]) -> None:
        for claim in claims:
            if not self._claims.renew(claim):
                claim.context.stop("lost")

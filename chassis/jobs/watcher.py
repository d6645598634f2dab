"""Detects changes of the jobs table by commands and other workers, and signals them in this process."""

from chassis.db import clock, db
from chassis.db.ticker import DatabaseTicker
from chassis.jobs import queries
from chassis.jobs.model import Job
from chassis.jobs.signals import job_changed

POLL_SECONDS = 0.2
AT_ONCE = 500  # rows in a read, which blocks all others
OVERLAP_SECONDS = 5.0  # for other machines' clocks, and transactions that commit later than they began


class Watcher(DatabaseTicker):
    """Reads changed rows five times a second, and sends `job_changed` for those that this process has not seen."""

    def __init__(self) -> None:
        super().__init__("job_watcher", POLL_SECONDS)
        self._seen: dict[str, tuple[int, float]] = {}
        self._since = clock.now()

    def start(self) -> None:
        """Start watching."""
        job_changed.connect(self._remember)
        super().start()

    def stop(self) -> None:
        """Stop watching."""
        job_changed.disconnect(self._remember)
        super().stop()

    def tick(self) -> None:
        """Read the changes once."""
        at, job_id = self._since - OVERLAP_SECONDS, ""
        while changes := self._changes(at, job_id):
            self._tell([job_id for job_id, revision, _ in changes if self._seen.get(job_id, (0, 0.0))[0] < revision])
            job_id, _, at = changes[-1]
            self._since = max(self._since, min(at, clock.now()))
            if len(changes) < AT_ONCE:
                break
        horizon = self._since - 2 * OVERLAP_SECONDS
        self._seen = {job_id: seen for job_id, seen in self._seen.items() if seen[1] >= horizon}

    @staticmethod
    def _changes(at: float, job_id: str) -> list[tuple[str, int, float]]:
        return db.read(lambda conn: queries.changes_after(conn, at, job_id, AT_ONCE))

    @staticmethod
    def _tell(job_ids: list[str]) -> None:
        for job in db.read(lambda conn: queries.by_ids(conn, job_ids)) if job_ids else ():
            job_changed.send(job)

    def _remember(self, job: Job) -> None:
        self._seen[job.id] = (job.revision, job.updated_at)

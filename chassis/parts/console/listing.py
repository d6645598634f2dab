"""The jobs on the console: what an admin looks for, each with its title, and one with all details."""

from itertools import islice
from typing import Any

from pydantic import Field

from chassis.base.texts import excerpt
from chassis.base.times import iso
from chassis.db import db
from chassis.jobs import FAILED, Job, State, lines, queries, registry
from chassis.observability.redaction import redact_names
from chassis.web import JobResponse
from chassis.web.body import Text
from chassis.web.paging import Paging

TIMES = ("queued_at", "not_before", "updated_at", "lease_expires_at")
MAX_CHARACTERS = 200  # of a message or an error in a list
MAX_ARGUMENTS, MAX_ARGUMENT = 4, 40  # characters of one
EMPTY = ""


class ConsoleJob(JobResponse):
    """A job in the console's list."""

    title: str = Field(description="What its kind calls it.")
    arguments: str = Field(description="The first arguments, shortened, without secrets.")
    submitted_by: str


class Wanted(Paging):
    """Which jobs; an empty value matches any."""

    q: Text = Field("", max_length=200)
    state: State | None = None
    kind: Text = Field("", max_length=64)
    owner: Text = Field("", max_length=200)

    def asked(self) -> dict[str, str | None]:
        """Return the columns' values to look for."""
        names = {queries.TEXT: self.q.strip(), "kind": self.kind, "submitted_by": self.owner.strip()}
        return {"state": self.state} | {name: value or None for name, value in names.items()}


def page(wanted: Wanted) -> dict[str, Any]:
    """Return a page of jobs, newest first."""
    offset = (wanted.page - 1) * wanted.per_page
    found, total = db.read(
        lambda conn: queries.listing(conn, wanted.asked(), limit=wanted.per_page, offset=offset), unbounded=True
    )
    return {"items": [brief(job) for job in found], "page": wanted.page, "per_page": wanted.per_page, "total": total}


def last_failed(number: int) -> list[dict[str, Any]]:
    """Return the newest jobs that have failed."""
    failed = {"state": FAILED}
    found, _ = db.read(lambda conn: queries.listing(conn, failed, limit=number, offset=0), unbounded=True)
    return [brief(job) for job in found]


def brief(job: Job) -> dict[str, Any]:
    """Return a job as a list shows it."""
    shown = job.as_dict()
    short = {name: (shown[name] or EMPTY)[:MAX_CHARACTERS] for name in ("message", "error")}
    return shown | short | {"title": title(job), "arguments": arguments(job), "submitted_by": job.submitted_by}


def title(job: Job) -> str:
    """Return what a job is called."""
    return registry.title(job.kind, job.payload)


def arguments(job: Job) -> str:
    """Return the first arguments of a job on one line, without lists and objects: hundreds are shown a second."""
    first = dict(islice(job.payload.items(), MAX_ARGUMENTS))
    plain = {name: value for name, value in first.items() if isinstance(value, str | int | float)}
    shown = redact_names(None, "", plain)
    return ", ".join(f"{name}: {excerpt(str(value), MAX_ARGUMENT)}" for name, value in shown.items())


def details(job: Job) -> dict[str, Any]:
    """Return all that is known of a job, without secrets."""
    more: dict[str, Any] = {name: getattr(job, name) for name in ("owner", "priority", "submitted_by")}
    more |= {name: iso(getattr(job, name)) for name in TIMES}
    more |= {"title": title(job), **redact_names(None, "", {"payload": job.payload})}
    return job.as_dict() | more


def stored_lines(job_id: str) -> list[dict[str, Any]]:
    """Return the log lines of a job, oldest first."""
    return db.read(lambda conn: lines.of(conn, job_id))

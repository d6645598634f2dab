"""`flask jobs`: list, show and watch jobs; jobs_change.py changes them and jobs_work.py runs them."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from chassis import jobs
from chassis.cli.durations import Duration
from chassis.commands import Group
from chassis.db import clock, db
from chassis.jobs import queries
from chassis.jobs.model import ENDED, STATES, Job

group = Group("jobs", help="Inspect, change and run jobs.")
LOOK_SECONDS = 0.5
STATUS = {"succeeded": 0, "failed": 1, "cancelled": 3, "interrupted": 4}  # 2 is click's exit status
OPTIONS = (
    click.option("--state", type=click.Choice(STATES), help="Only jobs in this state."),
    click.option("--kind", help="Only jobs of this kind."),
    click.option("--since", type=Duration(), help="Only jobs created in the last, for example, 2h or 7d."),
    click.option("--owner", help="Only jobs submitted by this account or owner of keys."),
    click.option(
        "--limit", default=20, show_default=True, type=click.IntRange(1), help="Number of jobs, newest first."
    ),
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that select jobs."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def chosen(*, state: str | None, kind: str | None, since: float | None, owner: str | None, limit: int) -> list[Job]:
    """Return the jobs that the options select, newest first."""
    asked = {"state": state, "kind": kind, "submitted_by": owner}
    after = 0.0 if since is None else clock.now() - since
    return db.read(lambda conn: queries.matching(conn, asked, since=after, limit=limit), unbounded=True)


def line(job: Job) -> str:
    """Return a one-line summary of a job."""
    shown = job.as_dict()
    return f"{job.id}  {job.state:<11}  {job.kind}  {job.done}/{job.total}  {shown['created_at']}"


@group.command("list")
@filters
@json_option
def list_command(as_json: bool, **asked: Any) -> None:
    """List jobs, newest first."""
    found = chosen(**asked)
    if as_json:
        click.echo(json.dumps([_whole(job) for job in found], indent=2))
    else:
        click.echo("\n".join(line(job) for job in found) or "No jobs.")


@group.command()
@click.argument("job_id")
@json_option
def show(job_id: str, as_json: bool) -> None:
    """Show all fields of a job."""
    found = _whole(jobs.get(job_id))
    plain = (f"{name:<16} {'' if value is None else value}".rstrip() for name, value in found.items())
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(plain))


@group.command()
@click.argument("job_id")
def watch(job_id: str) -> None:
    """Follow a job until it ends. The exit status is 0 for succeeded, 1 failed, 3 cancelled, 4 interrupted.

    Ctrl-C stops following; the job continues.
    """
    try:
        raise SystemExit(STATUS[_follow(job_id)])
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # the shells' convention for Ctrl-C


def _follow(job_id: str) -> str:
    """Print each change, on a terminal in one line; return the job's final state."""
    told, in_place = "", sys.stdout.isatty()
    while True:
        job = jobs.get(job_id)
        if (now := _progress(job)) != told:
            click.echo(f"\r\x1b[K{now}" if in_place else now, nl=not in_place)
            told = now
        if job.state in ENDED:
            click.echo(nl=in_place)
            return job.state
        time.sleep(LOOK_SECONDS)


def _progress(job: Job) -> str:
    part = f"{job.done}/{job.total} ({100 * job.done // job.total} %)" if job.total else str(job.done)
    return "  ".join(filter(None, (job.state, part, job.message, job.error)))


def _whole(job: Job) -> dict[str, Any]:
    return job.as_dict() | {"submitted_by": job.submitted_by, "owner": job.owner, "payload": job.payload}

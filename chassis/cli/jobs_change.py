"""`flask jobs requeue|cancel|reset-stalled|purge`: change one job, or all that the options select."""

import json
import time
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import Connection

from chassis import jobs
from chassis.cli.durations import Duration
from chassis.cli.jobs import chosen, filters, group, json_option, line
from chassis.db import clock, db
from chassis.errors import Conflict
from chassis.jobs import queries, registry, store
from chassis.jobs.model import ENDED, Job
from chassis.jobs.recovery import reset_stalled, stalled
from chassis.security import audit
from chassis.upkeep.batches import delete_in_batches

dry_run = click.option("--dry-run", is_flag=True, help="Show which jobs would be affected, and change nothing.")
yes = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
all_jobs = click.option("--all", "every", is_flag=True, help="All jobs that match the options, without a limit.")
EVERY = 1_000_000


@group.command()
@click.argument("job_ids", nargs=-1)
@filters
@all_jobs
@dry_run
@json_option
def requeue(job_ids: tuple[str, ...], every: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Requeue ended jobs: the given ids or, with --all, every job that matches the options."""
    found = [job for job in _meant(job_ids, every, asked) if job_ids or job.state in ENDED]
    _each("jobs.requeue", found, jobs.requeue, dry_run=dry_run, as_json=as_json)


@group.command()
@click.argument("job_ids", nargs=-1)
@filters
@all_jobs
@dry_run
@yes
@json_option
def cancel(job_ids: tuple[str, ...], every: bool, dry_run: bool, yes: bool, as_json: bool, **asked: Any) -> None:
    """Cancel queued jobs and ask running ones to stop: the given ids or, with --all, those that match."""
    found = [job for job in _meant(job_ids, every, asked) if job_ids or job.state not in ENDED]
    if every and found and not (yes or dry_run):
        click.confirm(f"Cancel {len(found)} jobs?", abort=True, err=True)
    _each("jobs.cancel", found, jobs.cancel, dry_run=dry_run, as_json=as_json)


@group.command("reset-stalled")
@dry_run
@json_option
def reset_stalled_command(dry_run: bool, as_json: bool) -> None:
    """Reset the stalled jobs of dead processes."""
    found = stalled(db) if dry_run else reset_stalled(db)
    _tell(found, as_json, "would be reset" if dry_run else "reset")


@group.command()
@click.option(
    "--older-than", type=Duration(), required=True, help="Only jobs that ended more than, for example, 30d ago."
)
@click.option("--state", type=click.Choice(ENDED), help="Only jobs that ended in this state.")
@click.option("--kind", help="Only jobs of this kind.")
@dry_run
@yes
def purge(older_than: float, state: str | None, kind: str | None, dry_run: bool, yes: bool) -> None:
    """Delete ended jobs permanently, except jobs that a feature's rows refer to; the feature deletes both."""
    kinds, before, asked = registry.deletable(), clock.now() - older_than, {"state": state, "kind": kind}
    if kind is not None and kind not in kinds:
        raise click.ClickException(f"A feature's rows refer to the jobs of {kind}, or there is no such kind.")
    number = db.read(lambda conn: queries.count_ended(conn, kinds, before=before, asked=asked), unbounded=True)
    if dry_run or not number:
        click.echo(f"{number} jobs would be deleted.")
        return
    if not yes:
        click.confirm(f"Delete {number} jobs permanently?", abort=True, err=True)
    click.echo(f"{_purge(kinds, before, asked)} jobs deleted.")


def _purge(kinds: list[str], before: float, asked: dict[str, str | None]) -> int:
    def delete(conn: Connection, limit: int) -> int:
        return store.delete_ended(conn, kinds, before=before, limit=limit, asked=asked)

    gone = delete_in_batches(delete, time.sleep)
    audit.record("jobs.purge", f"{gone} jobs")
    return gone


def _meant(job_ids: tuple[str, ...], every: bool, asked: dict[str, Any]) -> list[Job]:
    if bool(job_ids) == every:
        raise click.UsageError("Give the ids of jobs, or --all.")
    return [jobs.get(job_id) for job_id in job_ids] if job_ids else chosen(**asked | {"limit": EVERY})


def _each(action: str, found: list[Job], change: Callable[[str], Job], *, dry_run: bool, as_json: bool) -> None:
    if dry_run:
        _tell(found, as_json, "would be changed")
        return
    changed = []
    for job in found:
        try:
            changed.append(change(job.id))
        except Conflict as error:  # it changed meanwhile; an error for a single job only
            if len(found) == 1:
                raise
            click.echo(f"{job.id}: {error.message}", err=True)
    audit.record(action, found[0].id if len(found) == 1 else f"{len(changed)} jobs")
    _tell(changed, as_json, "changed")


def _tell(found: list[Job], as_json: bool, words: str) -> None:
    if as_json:
        click.echo(json.dumps([job.as_dict() for job in found], indent=2))
        return
    for job in found:
        click.echo(line(job))
    click.echo(f"{len(found)} jobs {words}.")

"""Registers the kinds of jobs: `@job("kind")` on a function of (context, payload)."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from chassis.base.texts import storable
from chassis.errors import AppError
from chassis.jobs.context import JobContext
from chassis.settings import Settings

Handler = Callable[[JobContext, dict[str, Any]], object]
Schedule = str | Callable[[Settings], str]
Title = str | Callable[[dict[str, Any]], str]
TITLE_CHARACTERS = 120
BEFORE_OTHERS = 100  # jobs of this priority and above go before everyone's turn
STALL_REQUEUES = 3  # a job that kills its process this often is not retried


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are run.

    `stall` says what happens to a job whose process died: `interrupt` waits for an operator, `requeue` runs it again.
    `resumable` says that another attempt continues where the last one stopped: after an orderly stop (a deploy, a
    reload) the job is queued again, whatever `stall` says about a crash. Kinds with `requeue` are queued again anyway.
    `cpu_bound` kinds run in workers only, never in the web process, whose sockets they would hold up; each job runs in
    a process of its own, which is killed when the job is cancelled or out of time.
    `time_limit_seconds` is JOBS_TIME_LIMIT_SECONDS unless the kind has its own; 0 means no limit.
    `priority` orders the waiting jobs of one submitter, the highest first; from 100 on, a job goes before those of all
    others. Kinds with a schedule have 100 unless you say otherwise.
    `schedule` is a cron expression, or a function of the settings that returns one; empty is never. `missed` says what
    happens to runs that were missed while no process ran: all together run `once`, or `skip`.
    `own_rows` says that rows of the feature refer to these jobs, and that the feature deletes both by itself.
    `in_quota` says whether these jobs count in QUOTA_JOBS.
    `title` is what a job is called on pages for admins: a text, or a function of the payload that returns one.
    """

    name: str
    handler: Handler
    stall: Literal["interrupt", "requeue"] = "interrupt"
    resumable: bool = False
    max_attempts: int = 1
    backoff_seconds: float = 2.0
    longest_backoff_seconds: float = 600.0
    time_limit_seconds: float | None = None
    priority: int = 0
    cpu_bound: bool = False
    schedule: Schedule = ""
    missed: Literal["once", "skip"] = "once"
    own_rows: bool = False
    in_quota: bool = True
    title: Title = ""

    @property
    def survives_stop(self) -> bool:
        """Return whether a job that an orderly stop ends is queued again by itself."""
        return self.resumable or self.stall == "requeue"

    def time_limit(self, settings: Settings) -> float | None:
        """Return how long a job may run, in seconds, or None for no limit."""
        own = self.time_limit_seconds
        return (settings.jobs_time_limit_seconds if own is None else own) or None

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after an attempt: exponential backoff with jitter, up to the longest."""
        return random.uniform(0.5, 1.0) * min(self.longest_backoff_seconds, self.backoff_seconds * 2.0 ** (attempt - 1))


_kinds: dict[str, Kind] = {}


def job(name: str, **options: Any) -> Callable[[Handler], Handler]:
    """Register a function of (context, payload) as the handler of a kind; the options are fields of `Kind`."""

    if options.get("schedule"):
        options.setdefault("priority", BEFORE_OTHERS)

    def decorator(handler: Handler) -> Handler:
        _kinds[name] = Kind(name, handler, **options)
        return handler

    return decorator


def kind(name: str) -> Kind:
    """Return a registered kind; raise AppError `unknown_kind`."""
    if name not in _kinds:
        raise AppError(f"There is no job kind named {name}.", code="unknown_kind", status=400)
    return _kinds[name]


def find(name: str) -> Kind | None:
    """Return the kind, or None if its feature is no longer installed."""
    return _kinds.get(name)


def title(name: str, payload: dict[str, Any]) -> str:
    """Return what a job is called: the title of its kind, or the kind's name in words."""
    found = find(name)
    words = name.replace("_", " ").capitalize()
    if found is None or not found.title:
        return words
    try:
        told = found.title if isinstance(found.title, str) else found.title(payload)
        return storable(told)[:TITLE_CHARACTERS] or words
    except Exception:  # an old payload may have other fields, or other types in them
        return words


def names(*, cpu_bound: bool) -> list[str]:
    """Return the kinds that a process can run; `cpu_bound` kinds only if the caller allows them."""
    return [k.name for k in _kinds.values() if cpu_bound or not k.cpu_bound]


def scheduled() -> list[Kind]:
    """Return the kinds that have a schedule."""
    return [kind for kind in _kinds.values() if kind.schedule]


def deletable() -> list[str]:
    """Return the kinds whose ended jobs have no references; excludes deleted features, whose tables remain."""
    return [kind.name for kind in _kinds.values() if not kind.own_rows]


def outside_quota() -> list[str]:
    """Return the kinds whose jobs do not count in QUOTA_JOBS."""
    return [kind.name for kind in _kinds.values() if not kind.in_quota]

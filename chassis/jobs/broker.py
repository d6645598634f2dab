"""Celery's view of the jobs: its application, its queues, and the messages, which carry the ids of jobs alone.

A message is a hint that some job of a queue is ready. The worker that gets it claims the job of that queue whose turn
it is, so that priorities and turns are those of the database. Lost messages are sent again, and for a message too many
there is no job.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from chassis.base.service import current
from chassis.settings import Settings
from chassis.settings.jobs import DEFAULT_QUEUE

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection

TASK = "jobs.run"
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 5.0  # for the broker, before it counts as away
VISIBILITY_SECONDS = 3600.0  # Redis hands out unacknowledged messages again after it, which changes nothing


def celery_app(settings: Settings, *, sends_only: bool = False) -> "Celery":
    """Return a Celery application for the settings; one that only sends waits no longer than some seconds."""
    from celery import Celery
    from kombu import Queue

    prefix, default = current().slug, full_name(DEFAULT_QUEUE)
    transport = {"visibility_timeout": VISIBILITY_SECONDS, "socket_keepalive": True}
    if sends_only:
        transport |= {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS}
    app = Celery(prefix, set_as_current=not sends_only)
    app.conf.update(
        broker_url=settings.broker_url,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # a full Redis refuses commands, which would end the worker
        broker_transport_options=transport,
        control_exchange=f"{prefix}.control",
        event_exchange=f"{prefix}.events",
        event_queue_prefix=f"{prefix}.events",
        task_default_queue=default,
        task_queues=[Queue(full_name(name)) for name in queue_names(settings)],
        task_ignore_result=True,
        task_acks_late=True,  # so that a worker takes no message that it cannot run yet
        task_reject_on_worker_lost=True,
        task_send_sent_event=True,
        worker_send_task_events=True,
        worker_prefetch_multiplier=1,
        worker_pool_start_method="fork",
        worker_concurrency=settings.jobs_concurrency,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def full_name(queue: str) -> str:
    """Return a queue's name at the broker, which other services may use too."""
    return f"{current().slug}.{queue}"


def queue_names(settings: Settings) -> list[str]:
    """Return the names of all queues."""
    return sorted({DEFAULT_QUEUE, *settings.queues.values()})


def queue_of(kind: str, settings: Settings) -> str:
    """Return the queue of a kind."""
    return settings.queues.get(kind, DEFAULT_QUEUE)


def kinds_of(queue: str, kinds: Iterable[str], settings: Settings) -> list[str]:
    """Return those of the kinds that are in a queue."""
    return [kind for kind in kinds if queue_of(kind, settings) == queue]


def send(app: "Celery", settings: Settings, jobs: Sequence[tuple[str, str]]) -> None:
    """Send messages for jobs, given as (id, kind); raise an exception of the broker's client when it is away."""
    with app.producer_or_acquire() as producer:
        for job_id, kind in jobs:
            queue = queue_of(kind, settings)
            app.send_task(
                TASK,
                (job_id, queue),
                queue=full_name(queue),
                shadow=kind,  # the name that Celery's tools show
                producer=producer,
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0},  # for a connection that the broker has closed
            )


def waiting(connection: "Connection", queue: str) -> int:
    """Return how many messages wait in a queue; raise an exception of the broker's client when it is away."""
    connection.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)  # an error may have closed it
    channel = connection.channel()
    try:
        return int(channel.queue_declare(full_name(queue), passive=True).message_count)
    except connection.channel_errors:
        return 0  # the broker has no such queue, as Redis has no empty ones
    finally:
        channel.close()

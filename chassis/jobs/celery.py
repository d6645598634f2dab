"""What Celery loads: `celery -A chassis.jobs.celery worker`, and Flower and `celery inspect` in the same way.

The application is the one that the `flask` command finds (FLASK_APP, else wsgi.py). Each process of a worker loads it
after the fork, since connections must not be shared.
"""

import os
import sys
import threading
from typing import Any

import structlog
from celery import Celery, signals

from chassis import features
from chassis.errors import AppError
from chassis.jobs.broker import TASK, celery_app, full_name, queue_names
from chassis.jobs.celery_process import Process
from chassis.observability.logs import configure_logging
from chassis.settings import Settings

log = structlog.get_logger(__name__)
FORKING, MAIN = "prefork", os.getpid()


class Worker:
    """The process of this Celery worker that runs jobs: the main one, or each that it forks.

    A forked process stops when the pipe's other end is closed: the worker shuts down, or was killed.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self.process: Process | None = None

    def start(self, *, slots: int, forked: bool) -> None:
        """Load the application and start; exit if it cannot be loaded."""
        found = [name for name in queue_names(settings) if full_name(name) in app.amqp.queues.consume_from]
        try:
            self.process = Process(found, slots=slots, disposable=forked)
            self.process.start()
        except AppError as error:
            log.error(error.message)
            raise SystemExit(error.exit_status) from None
        except Exception:
            log.exception("worker_not_started")
            raise SystemExit(1) from None
        if forked:
            os.close(self._writing)
            threading.Thread(target=self._stop_with_worker, name="job_worker_end", daemon=True).start()

    def shut_down(self) -> None:
        """Stop the process, or all forked ones."""
        os.close(self._writing)
        if self.process is not None:
            self.process.stop()

    def _stop_with_worker(self) -> None:
        worker = os.getppid()
        os.read(self._reading, 1)
        assert self.process is not None
        self.process.stop()
        if os.getppid() != worker:
            os._exit(0)  # it was killed, and nobody else would end this process


def _settings() -> Settings:
    try:
        read = features.load()
        if not read.broker_url:
            raise AppError("Celery needs JOBS_BROKER_URL or REDIS_URL.")
        return read
    except AppError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)


settings = _settings()
app: Celery = celery_app(settings)
_worker = Worker()


@app.task(name=TASK)  # type: ignore[untyped-decorator]
def run(job_id: str, queue: str) -> str:
    """Run the next job of a queue; the id of the job that was ready is for people alone."""
    assert _worker.process is not None
    return _worker.process.run_next(queue)


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(**_: Any) -> None:
    configure_logging(settings)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _start_forked(**_: Any) -> None:
    if os.getpid() != MAIN:
        _worker.start(slots=1, forked=True)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _start_here(sender: Any, **_: Any) -> None:
    if not sender.controller.pool_cls.__module__.endswith(FORKING):
        _worker.start(slots=sender.controller.concurrency, forked=False)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _shut_down(**_: Any) -> None:
    _worker.shut_down()

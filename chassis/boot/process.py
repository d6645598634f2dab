"""The process that boots: it ends with gunicorn's master, and its status says whether a step failed."""

import multiprocessing
import os
import signal
import sys
import threading

import structlog

from chassis import features
from chassis.boot.sequence import boot
from chassis.errors import AppError
from chassis.observability import error_reports, output
from chassis.observability.logs import configure_logging

log = structlog.get_logger("chassis.boot")


def run() -> None:
    """Boot in a process of its own, and exit with a status if a step fails."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))  # so that temporary files are removed
    try:
        settings = features.load()
        configure_logging(settings)
        error_reports.install(settings)
        end_with_parent()
        boot(settings)
    except AppError as error:
        log.error(error.message)
        output.tell(error.message)
        sys.exit(error.exit_status)
    except Exception:
        log.exception("boot_raised")
        output.tell("The start failed unexpectedly; see the log.")
        sys.exit(1)
    finally:
        error_reports.flush()


def end_with_parent() -> None:
    """End this process as soon as gunicorn's master dies, if the master forked it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()

"""`python -m chassis.serving.worker`: runs jobs beside the service, by the program that JOBS_ENGINE names."""

import os
import sys
from typing import NoReturn

from chassis import features
from chassis.base.environment import BASE_DIR
from chassis.errors import AppError
from chassis.settings import Settings


def command(settings: Settings) -> list[str]:
    """Return the command of the engine; a Celery worker has a name of its own, so that a machine can run several."""
    if settings.jobs_engine == "celery":
        name = f"worker-{os.getpid()}@%h"
        return ["celery", "-A", "chassis.jobs.celery", "worker", "-n", name, "-l", settings.log_level]
    return ["flask", "jobs", "work"]


def main() -> NoReturn:
    """Become the worker, so that it receives the signals; options are passed on. Exit with 78 for wrong settings."""
    try:
        program = command(features.load())
    except AppError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
    os.chdir(BASE_DIR)
    os.execv(sys.executable, [sys.executable, "-m", *program, *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()

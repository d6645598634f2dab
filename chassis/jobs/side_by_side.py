"""Does pieces of a job side by side, in threads that know the job."""

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from chassis.jobs.context import JobContext

T = TypeVar("T")
DONE = object()


def side_by_side(context: JobContext, items: Sequence[T], work: Callable[[T], object], most: int) -> None:
    """Call `work` with each item, in up to `most` threads; raise the first error, or JobStopped.

    After an error, or when the job should end, no further item is begun. Database access waits as in the handler.
    """
    left, errors = iter(items), list[Exception]()
    taking = threading.Lock()

    def turn() -> None:
        try:
            while not errors and not context.cancelled:
                with taking:
                    found = next(left, DONE)
                if found is DONE:
                    return
                work(cast("T", found))
        except Exception as error:
            errors.append(error)

    runs = [contextvars.copy_context().run for _ in range(min(most, len(items)))]
    threads = [threading.Thread(target=run, args=(turn,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    context.check()

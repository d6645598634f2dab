"""Runs in gunicorn's master before any worker: sets the file limit, and boots in a child process."""

import multiprocessing
import os
import shlex
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

SPARE_FILES = 256
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def leave_out_preload() -> None:
    """Restart without `--preload`, which Render puts into GUNICORN_CMD_ARGS.

    It would load the application in the master, where nothing is patched, and the workers could not load it again.
    """
    arguments = shlex.split(os.environ.get("GUNICORN_CMD_ARGS", ""))
    if "--preload" in [*arguments, *sys.argv]:
        os.environ["GUNICORN_CMD_ARGS"] = shlex.join(word for word in arguments if word != "--preload")
        command = [sys.executable, "-m", "gunicorn", *(word for word in sys.argv[1:] if word != "--preload")]
        os.execv(sys.executable, command)  # noqa: S606


def refuse_tls(server: Any) -> None:
    """Exit if a green worker is configured for TLS: it would speak plain text on that port."""
    if server.cfg.is_ssl:
        server.log.error(
            "The eventlet and gevent workers do not support TLS: remove --certfile and --keyfile, and put a proxy in "
            "front."
        )
        sys.exit(78)


def raise_file_limit(connections: int) -> None:
    """Raise the limit of open files for this process and its children to the connections' needs, if allowed."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def end_when_told() -> None:
    """Let a signal end a worker that does not serve yet, before gunicorn sets the worker's own handlers.

    In a worker the master's handlers would lose the signal, and the worker would live until it is killed. An exception
    could be lost too, where patching swallows all exceptions; and there is nothing to clean up yet.
    """
    for number in ENDING:
        signal.signal(number, lambda _number, _frame: os._exit(0))


def run_boot(boot: Callable[[], None]) -> None:
    """Run `boot` in a child process, and exit with its status if it fails.

    The child is forked, so that it need not import again what this process has loaded. It watches this process and ends
    with it. SIGTERM and SIGINT end the boot, even if this process is PID 1 and has no default action for them.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # one that comes before the handlers are there waits for them
    child = multiprocessing.get_context("fork").Process(target=_run_unblocked, args=(boot,))
    child.start()

    def stop(number: int, _frame: FrameType | None) -> None:
        child.terminate()
        sys.exit(128 + number)  # `finally` below still waits for the child

    before = {number: signal.signal(number, stop) for number in ENDING}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        child.join()
    finally:
        child.join()
    for number, handler in before.items():
        signal.signal(number, handler)
    if status := child.exitcode:
        sys.exit(status if status > 0 else 128 - status)


def _run_unblocked(boot: Callable[[], None]) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    boot()

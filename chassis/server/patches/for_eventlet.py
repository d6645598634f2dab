"""Patches of eventlet: faster worker start, a join that returns, a limit for websocket messages.

Tested with the version of eventlet in guard.TESTED.
"""

import logging
import warnings
from collections.abc import Callable
from typing import Any

from chassis.server.patches import guard, lookup

log = logging.getLogger(__name__)
MAX_FRAGMENTS = 1_000  # of a message
TOO_BIG = 1009  # RFC 6455, 7.4.1
DEPRECATED = (
    "eventlet's maintainers discourage its use in new projects; chassis/docs/architecture.md says what that means "
    "here, and ASYNC_MODE=gevent or threading serves without it."
)


def patch_standard_library() -> None:
    """Patch the standard library of a worker, after the fork: patching the master breaks gunicorn's own threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")  # `say_deprecated` logs it
        lookup.use_the_systems_resolver()
        import eventlet
        from eventlet import hubs

    hubs.use_hub()
    _leave_existing_locks()
    eventlet.monkey_patch()
    _mend_join()


def say_deprecated() -> None:
    """Log that eventlet's maintainers discourage new use; gunicorn's master logs it once for all workers."""
    log.info(DEPRECATED)


def _leave_existing_locks() -> None:
    """Skip eventlet's search for locks to replace, which takes a fifth of a worker's start.

    eventlet would walk through all objects that gunicorn's master loaded. The locks among them belong to logging and to
    cached properties: no code waits for anything while holding one.
    """
    loss = "Workers start with eventlet's own code, which takes longer."
    if guard.fits("eventlet", loss, "eventlet.patcher:_green_existing_locks(rlock_type)"):
        from eventlet import patcher

        patcher._green_existing_locks = lambda _kind: None


def _mend_join() -> None:
    """Make a thread's `join(timeout)` return at the timeout, where eventlet raises since Python 3.13."""
    loss = "A thread's join with a timeout is eventlet's own, which may raise at its end."
    if not guard.fits("eventlet", loss, "eventlet.green.thread:_ThreadHandle.join(self, timeout)"):
        return
    import eventlet
    from eventlet.green import thread

    handle = thread._ThreadHandle
    wait = handle.join

    def join(self: Any, timeout: float | None = None) -> None:
        with eventlet.Timeout(timeout, False):
            wait(self)

    handle.join = join


def limit_messages(websocket: Any, max_bytes: int) -> None:
    """Limit the size and fragments of a whole message to eventlet's websocket, which limits each frame only."""
    loss = "A message to the stock transport may consist of any number of frames."
    if guard.object_fits("eventlet", loss, websocket, "_recv_frame"):
        websocket._recv_frame = _within(websocket._recv_frame, max_bytes)


def _within(receive_frame: Callable[..., Any], max_bytes: int) -> Callable[..., Any]:
    """Return `receive_frame` with a limit for the whole message; eventlet limits each frame only."""
    from eventlet.websocket import FailedConnectionError

    size = pieces = fragments = 0

    def receive(message: Any = None) -> Any:
        nonlocal size, pieces, fragments
        if message is None:
            size = pieces = fragments = 0
        received = receive_frame(message=message)
        if received.opcode & 8:  # a control frame between the others
            return received
        size, pieces, fragments = size + sum(map(len, received.data[pieces:])), len(received.data), fragments + 1
        if size > max_bytes or fragments > MAX_FRAGMENTS:
            raise FailedConnectionError(TOO_BIG, "Message is too big")
        return received

    return receive

"""Finds the code that blocks the hub: a real thread watches, and writes the stack in which the main thread is stuck."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from chassis.base.concurrency import original
from chassis.base.service import current
from chassis.observability.output import is_journal

LOOKS = 4  # per stall time, so that a stall is reported after at most 1.25 times that time
SHORTEST_SECONDS = 0.01
FRAMES = 20


class StallWatch:
    """Reports a hub that is more than `seconds` late for what it should have done at `due()`, once per stall."""

    def __init__(self, seconds: float, due: Callable[[], float]) -> None:
        self._seconds, self._due = seconds, due
        self._reported = 0.0
        self._service = current().slug
        self._stopped = False
        self._level = b"<4>" if is_journal(2) else b""
        self._sleep = original("time", "sleep")
        self._write = original("os", "write")
        self._hub_thread = original("_thread", "get_ident")()

    def start(self) -> None:
        """Start watching the calling thread."""
        original("_thread", "start_new_thread")(self._loop, ())

    def stop(self) -> None:
        """Stop watching."""
        self._stopped = True

    def _loop(self) -> None:
        while not self._stopped:
            self._sleep(max(self._seconds / LOOKS, SHORTEST_SECONDS))
            due = self._due()
            late = time.monotonic() - due
            if late > self._seconds and due != self._reported:
                self._reported = due
                self._report(late, sys._current_frames().get(self._hub_thread))

    def _report(self, late: float, frame: FrameType | None) -> None:
        """Write one line without the logging module: its locks belong to green threads, and the hub is stuck."""
        stack = traceback.format_list(traceback.StackSummary.extract(_outwards(frame), limit=FRAMES)[::-1])
        line = {
            "event": "hub_stalled",
            "seconds": round(late, 2),
            "stack": "".join(stack),
            "service": self._service,
            "logger": __name__,
            "level": "warning",
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        try:
            self._write(2, self._level + json.dumps(line).encode() + b"\n")
        except OSError:
            return  # standard error is closed


def _outwards(frame: FrameType | None) -> Any:
    """Yield the innermost frames first: they are the ones to keep when the stack is deep."""
    return traceback.walk_stack(frame) if frame is not None else iter(())

"""Finds the code that blocks the hub: a real thread watches, and writes the stack in which the main thread is stuck."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from chassis.base.concurrency import original
from chassis.base.environment import BASE_DIR
from chassis.base.service import current
from chassis.observability.output import is_journal

LOOKS = 4  # per stall time, so that a stall is reported after at most 1.25 times that time
SHORTEST_SECONDS = 0.01
FRAMES = 20
READABLE_EVERY_SECONDS = 60.0
LIBRARIES = ".venv"


class StallWatch:
    """Reports a hub that is more than `seconds` late for what it should have done at `due()`, once per stall.

    A `readable` report is a sentence for people, at most one a minute; the others are JSON, with the stack.
    """

    def __init__(self, seconds: float, due: Callable[[], float], *, readable: bool = False) -> None:
        self._seconds, self._due, self._readable = seconds, due, readable
        self._silent_until = 0.0
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
        if not self._readable:
            self._put(self._as_json(late, frame))
        elif time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + READABLE_EVERY_SECONDS
            self._put(_sentence(late, frame))

    def _as_json(self, late: float, frame: FrameType | None) -> str:
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
        return json.dumps(line)

    def _put(self, line: str) -> None:
        try:
            self._write(2, self._level + line.encode(errors="backslashreplace") + b"\n")
        except OSError:
            return  # standard error is closed


def _sentence(late: float, frame: FrameType | None) -> str:
    """Return which code blocks: the innermost of this project, or else of a library."""
    frames = list(traceback.StackSummary.extract(_outwards(frame)))
    ours = [one for one in frames if _is_ours(Path(one.filename))]
    place = next(iter(ours or frames), None)
    where = "code that has no frame"
    if place is not None:
        name = Path(place.filename).relative_to(BASE_DIR) if place in ours else place.filename
        where = f"{name}:{place.lineno} in {place.name}"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{now} [warning  ] hub_stalled: {where} blocks the event loop, so far for {late:.1f} s"


def _is_ours(path: Path) -> bool:
    return path.is_relative_to(BASE_DIR) and LIBRARIES not in path.parts


def _outwards(frame: FrameType | None) -> Any:
    """Yield the innermost frames first: they are the ones to keep when the stack is deep."""
    return traceback.walk_stack(frame) if frame is not None else iter(())

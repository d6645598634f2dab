"""What this process makes of Redis' state: metrics, lines in the log, a reason for `/readyz`, and rooms to fetch."""

import time

import structlog

from chassis.extensions import socketio
from chassis.observability.metrics import REDIS_DELAY, REDIS_DOWN, REDIS_LATE, REDIS_LOST
from chassis.realtime import recovery
from chassis.server.nodes.watch import Watch

log = structlog.get_logger(__name__)
FETCH = "The clients of this process are told to fetch the state."


class State(Watch):
    """Whether Redis carries this process's messages; unknown until the first attempt."""

    def __init__(self) -> None:
        self._down_since, self._reason = 0.0, ""

    def up(self) -> None:
        """Say once that Redis is back."""
        REDIS_DOWN.set(0)
        if self._down_since:
            log.info("redis_up", down_seconds=round(time.monotonic() - self._down_since, 1))
        self._down_since = 0.0

    def down(self, reason: str) -> None:
        """Say once that Redis is away."""
        REDIS_DOWN.set(1)
        if not self._down_since:
            self._down_since, self._reason = time.monotonic(), reason
            log.error("redis_down", reason=reason, hint="Events reach other machines when Redis is back.")

    def delay(self, seconds: float) -> None:
        """Count the time of a round trip."""
        REDIS_DELAY.observe(seconds)

    def late(self, count: int) -> None:
        """Count messages that came after a gap."""
        REDIS_LATE.inc(count)

    def lost(self, count: int) -> None:
        """Let all clients fetch what they follow, since this process has missed messages for them."""
        REDIS_LOST.inc(count)
        log.error("redis_messages_lost", count=count, hint=FETCH)
        self._let_fetch()

    def gone(self) -> None:
        """Let all clients fetch what they follow, since a killed process may not have sent what it published last."""
        log.warning("node_gone", hint=FETCH)
        self._let_fetch()

    @staticmethod
    def _let_fetch() -> None:
        recovery.streams.renew(list(socketio.server.manager.rooms.get("/", ())))

    def problem(self) -> str | None:
        """Return why events do not reach other machines now, or None."""
        if not self._down_since:
            return None
        seconds = round(time.monotonic() - self._down_since)
        return f"no answer for {seconds} s: events wait, and each process counts its limits ({self._reason})"


state = State()


def begin() -> None:
    """Send to and read from other machines, if Redis is used."""
    manager = socketio.server.manager
    if hasattr(manager, "watched_by"):
        manager.watched_by(state)
        manager.initialize()

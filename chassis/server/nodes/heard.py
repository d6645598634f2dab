"""What this node has heard of the others, by the numbers that each gives its messages: in order, once, without gaps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ASK_AGAIN_SECONDS = 1.0
DOUBT_SECONDS = 10.0  # after a gap, a node that is silent for longer has ended, and what it sent may be lost
FORGET_SECONDS = 600.0

Ask = Callable[[str, int | None], None]


@dataclass
class Other:
    """Another node: the number of its last message here (None before the first), and when it was asked or heard."""

    seen: int | None
    heard_at: float
    asked_at: float = 0.0
    doubted_at: float = 0.0
    late_up_to: int = 0


class Heard:
    """The other nodes; `ask(node, number)` asks one for what follows a number, or for what it sent since our start.

    `late(count)` and `lost(count)` count the messages that came after a gap, and those that never will.
    """

    def __init__(self, ask: Ask, late: Callable[[int], None], lost: Callable[[int], None]) -> None:
        self._ask, self._late, self._lost = ask, late, lost
        self._others: dict[str, Other] = {}

    def is_next(self, node: str, place: int) -> bool:
        """Return whether a message is to be delivered: it is neither a repetition nor behind a gap."""
        other = self._of(node)
        if other.seen is None or place > other.seen + 1:
            self._notice_gap(node, other, place)
            return False
        if place <= other.seen:
            return False
        other.seen, other.doubted_at = place, 0.0
        if place <= other.late_up_to:
            self._late(1)
        return True

    def reached(self, node: str, place: int) -> None:
        """Take note that a node's last message so far has this number."""
        other = self._of(node)
        if other.seen is None or place > other.seen:
            self._notice_gap(node, other, place + 1)
        else:
            other.doubted_at = 0.0

    def resumes(self, node: str, place: int) -> None:
        """Take note that a node, when asked, sends what follows a number; it no longer knows what came before."""
        other = self._of(node)
        missing = 0 if other.seen is None else place - other.seen
        other.seen = place if other.seen is None else max(place, other.seen)
        other.doubted_at = 0.0
        if missing > 0:
            self._lost(missing)

    def doubt(self) -> None:
        """Take note that messages of any node may have been missed."""
        for other in self._others.values():
            other.doubted_at, other.asked_at = time.monotonic(), 0.0

    def judge(self) -> None:
        """Forget nodes that have ended; count one lost message for each that was not heard of again after a gap."""
        now = time.monotonic()
        for node, other in list(self._others.items()):
            doubtful = 0 < other.doubted_at < now - DOUBT_SECONDS
            if doubtful or other.heard_at < now - FORGET_SECONDS:
                del self._others[node]
                if doubtful:
                    self._lost(1)

    def _of(self, node: str) -> Other:
        now = time.monotonic()
        other = self._others.setdefault(node, Other(seen=None, heard_at=now))
        other.heard_at = now
        return other

    def _notice_gap(self, node: str, other: Other, place: int) -> None:
        """Ask for what comes before a number."""
        if other.seen is not None:
            other.late_up_to = max(other.late_up_to, place - 1)
        if time.monotonic() - other.asked_at >= ASK_AGAIN_SECONDS:
            other.asked_at = time.monotonic()
            self._ask(node, other.seen)

"""What this node has heard of the others, by the numbers that each gives its messages: in order, once, without gaps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ASK_AGAIN_SECONDS = 1.0
DOUBT_SECONDS = 10.0  # a node that is silent for longer has ended, and what it published last may be lost
STILL_SECONDS = 3.0  # without a judgement: it was this process that stood still
JUDGE_SECONDS = 1.0
FORGET_SECONDS = 86_400.0  # a node that was forgotten and comes back sends again what it keeps

Ask = Callable[[str, int | None], None]


@dataclass
class Other:
    """Another node: the number of its last message here (None before the first), and when it was asked or heard.

    `over` means that nothing is expected: it said farewell and all of it is here, or its silence was told.
    """

    seen: int | None
    heard_at: float
    asked_at: float = 0.0
    doubted_at: float = 0.0
    late_up_to: int = 0
    over: bool = False

    def silent(self, now: float) -> float:
        """Return for how many seconds nothing was heard that could have been."""
        return now - (self.doubted_at or self.heard_at)


class Heard:
    """The other nodes; `ask(node, number)` asks one for what follows a number, or for what it sent since our start.

    `late(count)` and `lost(count)` count the messages that came after a gap, and those that never will; `gone()` is
    called for a node that fell silent, of which nobody knows what it published last.
    """

    def __init__(
        self, ask: Ask, late: Callable[[int], None], lost: Callable[[int], None], gone: Callable[[], None]
    ) -> None:
        self._ask, self._late, self._lost, self._gone = ask, late, lost, gone
        self._others: dict[str, Other] = {}
        self._judged_at = 0.0

    def is_next(self, node: str, place: int) -> bool:
        """Return whether a message is to be delivered: it is neither a repetition nor behind a gap."""
        other = self._of(node)
        if other.seen is None or place > other.seen + 1:
            self._notice_gap(node, other, place)
            return False
        if place <= other.seen:
            return False
        other.seen, other.doubted_at, other.over = place, 0.0, False
        if place <= other.late_up_to:
            self._late(1)
        return True

    def reached(self, node: str, place: int) -> None:
        """Take note that a node's last message so far has this number."""
        other = self._of(node)
        if other.seen is None or place > other.seen:
            self._notice_gap(node, other, place + 1)
        else:
            other.doubted_at, other.over = 0.0, False

    def leaves(self, node: str, place: int) -> None:
        """Take note that a node has ended by itself, and that its last message has this number."""
        if other := self._others.get(node):
            other.heard_at, other.over = time.monotonic(), other.seen == place

    def resumes(self, node: str, place: int) -> None:
        """Take note that a node, when asked, sends what follows a number; it no longer knows what came before."""
        other = self._of(node)
        missing = 0 if other.seen is None else place - other.seen
        other.seen = place if other.seen is None else max(place, other.seen)
        other.doubted_at, other.over = 0.0, False
        if missing > 0:
            self._lost(missing)

    def doubt(self) -> None:
        """Take note that messages of any node may have been missed."""
        for other in self._others.values():
            other.doubted_at, other.asked_at = time.monotonic(), 0.0

    def judge(self) -> None:
        """Find the nodes that fell silent; called at least once a second while messages can arrive."""
        now = time.monotonic()
        rested = now - self._judged_at
        if rested < JUDGE_SECONDS:
            return
        self._judged_at = now
        if rested > STILL_SECONDS:
            self.doubt()
        gone = [other for other in self._others.values() if not other.over and other.silent(now) > DOUBT_SECONDS]
        for other in gone:
            other.over = True
        if gone:  # once for all workers of a machine
            self._gone()
        self._others = {node: other for node, other in self._others.items() if other.silent(now) <= FORGET_SECONDS}

    def _of(self, node: str) -> Other:
        now = time.monotonic()
        other = self._others.setdefault(node, Other(seen=None, heard_at=now))
        other.heard_at = now
        return other

    def _notice_gap(self, node: str, other: Other, place: int) -> None:
        """Ask for what comes before a number."""
        other.over = False
        if other.seen is not None:
            other.late_up_to = max(other.late_up_to, place - 1)
        if time.monotonic() - other.asked_at >= ASK_AGAIN_SECONDS:
            other.asked_at = time.monotonic()
            self._ask(node, other.seen)

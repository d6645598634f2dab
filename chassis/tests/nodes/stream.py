"""What a client knows of the news: each once and in order, or it is told to fetch them."""

from collections import Counter
from typing import Any


class Stream:
    """A client's place in the room, by the rules of rooms.js; `faults` are what the server must not do.

    `holes` are news that never came; the client must be told to fetch, after ten seconds when a node was killed that
    had answered and not published.
    """

    def __init__(self, counted: Counter[str]) -> None:
        self.position: dict[str, Any] | None = None
        self.joining, self.gap = False, False
        self.known: dict[str, int] = {}
        self.faults: list[str] = []
        self.holes: list[str] = []
        self._state: dict[str, int] = {}
        self._counted = counted

    def receive(self, event: str, data: Any) -> bool:
        """Take an event; return whether the state is to be fetched."""
        stream = data.get("stream") if isinstance(data, dict) else None
        if not stream:
            return False
        place = {"epoch": stream["epoch"], "seq": stream["seq"]}
        known = self.position["seq"] if self.position and self.position["epoch"] == place["epoch"] else None
        if known is not None and place["seq"] <= known:
            self.faults.append(f"number {place} came again after {known}")
            return False
        self.position = place
        self.gap = self.gap or known is None or stream["after"] > known
        if event == "news":
            self._apply(data["who"], data["n"], data["attempt"])
        return self.gap and not self.joining

    def joined(self, answer: dict[str, Any]) -> None:
        """Take the answer to a join, which has the state too."""
        stream, self.joining = answer["stream"], False
        place = {"epoch": stream["epoch"], "seq": stream["seq"]}
        if not self.position or self.position["epoch"] != place["epoch"] or self.position["seq"] < place["seq"]:
            self.position = place
        if stream["recovered"] and not self.gap:
            self._counted["recovered"] += 1
        else:
            self.fetched(answer["state"])

    def fetched(self, state: dict[str, int]) -> None:
        """Take the state."""
        self._counted["fetched"] += 1
        self.gap, self.holes, self._state = False, [], dict(state)
        for who, n in state.items():
            self.known[who] = max(n, self.known.get(who, 0))

    def _apply(self, who: str, n: int, attempt: int) -> None:
        known = self.known.get(who, 0)
        self._counted["seen"] += 1
        if n > known + 1:
            self.holes.append(f"{who} {n} came after {known}")
        elif n <= known and n > self._state.get(who, 0) and attempt == 1:
            self.faults.append(f"{who} {n} came again")
        self.known[who] = max(n, known)

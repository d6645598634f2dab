"""One call of a client: what it asked for, how it went, and what it cost. At its end it is logged and charged."""

import time
import uuid
from dataclasses import dataclass, field

from prometheus_client import Counter, Histogram

from app.features.gateway import store
from chassis.db import RowBuffer
from chassis.security import budgets
from chassis.security.budgets import Reservation, Usage
from chassis.upstream import Asked, Member, Relayed, usage_of

REQUESTS = Counter(
    "gateway_requests_total", "Requests by the last backend that was asked and their outcome.", ["backend", "outcome"]
)
LATENCY = Histogram("gateway_request_seconds", "Duration of requests by backend.", ["backend"])
UNLOGGED = Counter("gateway_unlogged_calls_total", "Calls that the log has no row of, since the database refused.")
MAX_CONTENT = 20_000  # characters of a request or an answer in the log

waiting = RowBuffer(store.add_calls)
"""Rows of the log that will be stored within a second."""


@dataclass
class Call:
    """A call, which `finish` ends."""

    asked: Asked
    model: str
    owner: str
    reservation: Reservation
    keeps_contents: bool = False
    answer: str = ""
    began: float = field(default_factory=time.monotonic)

    def keep(self, text: str) -> None:
        """Keep a piece of the answer, if contents are logged."""
        if self.keeps_contents and len(self.answer) < MAX_CONTENT:
            self.answer += text[:MAX_CONTENT]

    def failed_over(self, backend: Member) -> None:
        """Log an attempt that failed, after which another backend is asked."""
        self._log(backend.name, "failed_over", 503, Usage())

    def finish(self, outcome: str, status: int, relayed: Relayed | None = None) -> None:
        """Log and charge the call; an answer without a text costs nothing."""
        last = relayed.member if relayed else next(iter(self.asked.tried[-1:]), None)
        used = usage_of(relayed, len(self.asked.body)) if relayed else None
        self._log(last.name if last else "", outcome, status, used or Usage())
        if used:
            budgets.charge(self.reservation, used)
        else:
            budgets.release(self.reservation)

    def _log(self, backend: str, outcome: str, status: int, used: Usage) -> None:
        asked, seconds = self.asked, time.monotonic() - self.began
        REQUESTS.labels(backend, outcome).inc()
        LATENCY.labels(backend).observe(seconds)
        row = {"id": uuid.uuid4().hex, "at": time.time(), "owner": self.owner, "path": asked.path, "model": self.model}
        row |= {"backend": backend, "outcome": outcome, "status": status, "attempts": len(asked.tried)}
        row |= {"input_tokens": used.input_tokens + used.index_tokens, "output_tokens": used.output_tokens}
        row |= {"seconds": round(seconds, 6), "content": self._content() if self.keeps_contents else None}
        if not waiting.add(row):
            UNLOGGED.inc()

    def _content(self) -> dict[str, str]:
        texts = {"request": self.asked.body.decode("utf-8", "replace"), "answer": self.answer}
        return {name: text.replace("\x00", "")[:MAX_CONTENT] for name, text in texts.items()}

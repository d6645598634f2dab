"""One call of a client: what it asked for, how it went, and what it cost. At its end it is logged and charged."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter, Histogram

from app.features.gateway import store
from app.features.gateway.pool import Backend
from chassis.db import RowBuffer
from chassis.security import budgets
from chassis.security.budgets import Reservation, Usage
from chassis.upstream import Asked, Meter, Relayed

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
    """A call; `finish` ends it once, whoever comes first."""

    asked: Asked[Backend]
    model: str
    owner: str
    reservation: Reservation
    keeps_contents: bool = False
    answer: str = ""
    began: float = field(default_factory=time.monotonic)
    _ending: Any = field(default_factory=threading.Lock)
    _over: bool = False

    def keep(self, text: str) -> None:
        """Keep a piece of the answer, if contents are logged."""
        if self.keeps_contents and len(self.answer) < MAX_CONTENT:
            self.answer += text

    def failed_over(self, _backend: Backend) -> None:
        """Log an attempt that failed, after which another backend is asked."""
        self._log("failed_over", 503, Usage())

    def finish(self, outcome: str, status: int, relayed: Relayed[Backend] | None = None) -> None:
        """Log and charge the call; an answer without a text costs nothing."""
        with self._ending:
            over, self._over = self._over, True
        if over:
            return
        used = self._used(relayed) if relayed else None
        self._log(outcome, status, used or Usage())
        if used:
            budgets.charge(self.reservation, used)
        else:
            budgets.release(self.reservation)

    def _log(self, outcome: str, status: int, used: Usage) -> None:
        asked, seconds = self.asked, time.monotonic() - self.began
        backend = asked.tried[-1].name if asked.tried else ""
        REQUESTS.labels(backend, outcome).inc()
        LATENCY.labels(backend).observe(seconds)
        row = {"id": uuid.uuid4().hex, "at": time.time(), "owner": self.owner, "path": asked.path, "model": self.model}
        row |= {"backend": backend, "outcome": outcome, "status": status, "attempts": len(asked.tried)}
        row |= {"input_tokens": used.input_tokens + used.index_tokens, "output_tokens": used.output_tokens}
        row |= {"seconds": round(seconds, 6), "content": self._content() if self.keeps_contents else None}
        if not waiting.add(row):
            UNLOGGED.inc()

    def _used(self, relayed: Relayed[Backend]) -> Usage | None:
        """Return what the backend told, or an estimate from the sizes; None without a text."""
        if not relayed.text_bytes:
            return None
        meter = Meter(len(self.asked.body))
        if self.asked.path == "/embeddings":
            meter.indexed(relayed.usage)
        else:
            meter.used(relayed.usage, output_bytes=relayed.text_bytes)
        return meter.usage and meter.usage.bounded()

    def _content(self) -> dict[str, str]:
        texts = {"request": self.asked.body.decode("utf-8", "replace"), "answer": self.answer}
        return {name: text.replace("\x00", "")[:MAX_CONTENT] for name, text in texts.items()}

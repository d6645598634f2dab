"""One call of a client: what it asked for, how it went, and what it cost. At its end it is logged and charged."""

import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter, Histogram

from chassis.security import budgets
from chassis.security.budgets import Reservation, Usage

REQUESTS = Counter(
    "gateway_requests_total", "Requests by the last backend that was asked and their outcome.", ["backend", "outcome"]
)
LATENCY = Histogram("gateway_request_seconds", "Duration of requests by backend.", ["backend"])
UNLOGGED = Counter("gateway_unlogged_calls_total", "Calls that the log has no row of, since the database refused.")
BYTES_PER_TOKEN = 4  # of a text whose backend tells no usage
MAX_CONTENT = 20_000  # characters of a request or an answer in the log
MAX_WAITING = 10_000  # rows
LOGGED = ("path", "model", "owner", "caller", "streamed", "backend", "attempts", "first_seconds")

waiting: deque[dict[str, Any]] = deque()
"""Rows of the log that will be stored within a second."""


@dataclass
class Call:
    """A call; `finish` ends it once, whoever comes first."""

    path: str
    model: str
    body: bytes
    streamed: bool
    owner: str
    caller: str
    reservation: Reservation
    adds_usage: bool = False  # the client had not asked for it
    backend: str = ""
    status: int = 0
    outcome: str = ""
    attempts: int = 0
    first_seconds: float | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    answer: list[str] = field(default_factory=list)  # if contents are logged
    answered_bytes: int = 0
    began: float = field(default_factory=time.monotonic)
    _ending: Any = field(default_factory=threading.Lock)

    def first_byte(self) -> None:
        """Take note of the first part of the answer."""
        self.first_seconds = self.first_seconds or round(time.monotonic() - self.began, 6)

    def failed_over(self, status: int = 503) -> None:
        """Log an attempt that failed, after which another backend is asked."""
        self._log("failed_over", status, Usage(), None)

    def finish(self, outcome: str, status: int, *, contents: bool = False) -> None:
        """Log and charge the call; an answer without a text costs nothing."""
        with self._ending:
            if self.outcome:
                return
            self.outcome, self.status = outcome, status
        used = self._used()
        if self.answered_bytes:
            budgets.charge(self.reservation, used)
        else:
            budgets.release(self.reservation)
        self._log(outcome, status, used, self._content() if contents else None)

    def _log(self, outcome: str, status: int, used: Usage, content: dict[str, str] | None) -> None:
        seconds = time.monotonic() - self.began
        REQUESTS.labels(self.backend, outcome).inc()
        LATENCY.labels(self.backend).observe(seconds)
        row = {name: getattr(self, name) for name in LOGGED} | {"id": uuid.uuid4().hex, "at": time.time()}
        row |= {"outcome": outcome, "status": status, "seconds": round(seconds, 6), "content": content}
        row |= {"input_tokens": used.input_tokens + used.index_tokens, "output_tokens": used.output_tokens}
        if len(waiting) < MAX_WAITING:
            waiting.append(row)
        else:
            UNLOGGED.inc()

    def _used(self) -> Usage:
        """Return what the backend told, or an estimate from the sizes."""
        if not self.answered_bytes:
            return Usage()
        told = {name: value for name, value in self.usage.items() if isinstance(value, int)}
        into = told.get("prompt_tokens", -(-len(self.body) // BYTES_PER_TOKEN))
        if self.path == "/embeddings":
            return Usage(index_tokens=into)
        return Usage(into, told.get("completion_tokens", -(-self.answered_bytes // BYTES_PER_TOKEN)))

    def _content(self) -> dict[str, str]:
        texts = {"request": self.body.decode("utf-8", "replace"), "answer": "".join(self.answer)}
        return {name: text.replace("\x00", "")[:MAX_CONTENT] for name, text in texts.items()}

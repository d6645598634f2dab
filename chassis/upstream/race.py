"""A hedged call: the same request to several APIs, of which the first good answer counts."""

import contextvars
import threading
from collections.abc import Callable

from chassis.upstream.pool import Member
from chassis.upstream.relayed import Failed, Relayed
from chassis.upstream.waiting import Check

Attempt = Callable[[Member, Check], Relayed]


class Race:
    """Attempts in threads of their own; once one has an answer the others are cancelled. `failed` are those without."""

    def __init__(self, attempt: Attempt, cancelled: Check) -> None:
        self._attempt, self._cancelled = attempt, cancelled
        self._news = threading.Condition()
        self._running, self._over = 0, False
        self._won: Relayed | None = None
        self._error: BaseException | None = None
        self.failed: list[Member] = []

    def start(self, member: Member) -> None:
        """Ask one more API."""
        with self._news:
            self._running += 1
        run = contextvars.copy_context().run
        try:
            threading.Thread(target=run, args=(self._run, member), name="hedge", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            self._run(member)

    def wait(self, seconds: float | None = None) -> Relayed | None:
        """Return the first answer, or None after `seconds`; raise the last failure when all have failed."""
        with self._news:
            self._news.wait_for(self._decided, seconds)
            if self._won is None and self._error is not None and self._decided():
                raise self._error
            return self._won

    def _decided(self) -> bool:
        return self._over or not self._running

    def _run(self, member: Member) -> None:
        try:
            answer = self._attempt(member, self._stopped)
        except BaseException as error:  # raised by `wait`
            self._lost(member, error)
        else:
            self._answered(answer)

    def _answered(self, answer: Relayed) -> None:
        with self._news:
            late = self._over
            if not late:
                self._won, self._over = answer, True
            self._news.notify_all()
        if late:
            answer.end(failed=None)

    def _lost(self, member: Member, error: BaseException) -> None:
        with self._news:
            self._running -= 1
            if isinstance(error, Failed):
                self.failed.append(member)
            if not self._over:
                self._error, self._over = error, not isinstance(error, Failed)
            self._news.notify_all()

    def _stopped(self) -> bool:
        return self._over or self._cancelled()

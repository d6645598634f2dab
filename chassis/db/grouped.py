"""Writes that many threads want at once, in groups: one transaction has all that came since the last one began.

A caller that waits for its turn holds no connection.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from chassis.db.faults import may_pass
from chassis.db.patience import patient, patiently

T = TypeVar("T")
LEAST_SECONDS = 0.025  # a transaction costs more than the rows in it


class Grouped(Generic[T]):
    """Calls `write(group)` for what is submitted; its items are told apart by identity, and carry their own results.

    After a group of several the next one waits until 25 ms after it began, since more items come; what comes alone is
    written at once.
    """

    def __init__(self, write: Callable[[Sequence[T]], None]) -> None:
        self._write = write
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._waiting: list[T] = []
        self._callers: set[int] = set()  # the identities of items whose callers wait
        self._refused: dict[int, BaseException] = {}  # what a caller that waits has to raise
        self._next = 0.0  # the monotonic time from which a group may begin while items come together

    def submit(self, item: T) -> None:
        """Return when the item is written, or raise what its write raised.

        In a job it waits while the database refuses.
        """
        patiently(lambda: self._submit(item))

    def later(self, item: T) -> None:
        """Write the item with the next one that is submitted."""
        with self._adding:
            self._waiting.append(item)

    def _submit(self, item: T) -> None:
        self._callers.add(id(item))
        try:
            self.later(item)
            with self._writing:  # whoever comes first writes for those who wait here
                if error := self._refused.get(id(item)):
                    raise error
                if any(one is item for one in self._waiting):  # or else an earlier turn has written it
                    self._lead(item, self._gathered())
        finally:
            self._callers.discard(id(item))
            self._refused.pop(id(item), None)

    def _gathered(self) -> list[T]:
        """Return all that wait; after a group of several no sooner than LEAST_SECONDS after it began."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        with self._adding:
            group, self._waiting = self._waiting, []
        self._next = time.monotonic() + LEAST_SECONDS if len(group) > 1 else 0.0
        return group

    def _lead(self, item: T, group: list[T]) -> None:
        try:
            self._write_now(group)
        except BaseException as error:
            others = [one for one in group if one is not item]
            refused = {id(one) for one in others} & self._callers if may_pass(error) else set()
            self._refused |= dict.fromkeys(refused, error)  # each would wait as long again, one after the other
            with self._adding:
                self._waiting = [one for one in others if id(one) not in refused] + self._waiting
            if not isinstance(error, Exception):
                raise  # the thread was told to end
            if not others or may_pass(error):
                raise
            self._write_now([item])  # it may be another one that the database refuses

    def _write_now(self, group: list[T]) -> None:
        with patient(None):  # others wait for this turn, and may be less patient
            self._write(group)

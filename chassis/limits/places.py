"""Places that the workers of one machine share, such as those of calls under way."""

import time
from collections.abc import Sequence

from chassis.limits.counts import Counts, Row

NEWEST = 2**32


class Places:
    """Hands out places one by one; a worker that holds more than a waiting one does not take the next."""

    def __init__(self, counts: Counts, name: str) -> None:
        self._counts, self._name, self._turn = counts, name, 0

    def claim(self, held: int, waiting: int, limit: int) -> bool:
        """Take one more place than the `held` ones for the first of `waiting` callers; return whether there was one."""
        claimed = False

        def decide(_mine: Row, others: Sequence[Row]) -> Row:
            nonlocal claimed
            free = held + sum(row[0] for row in others) < limit
            claimed = free and not any(row[1] and (row[0], row[2]) < (held, self._turn) for row in others)
            if not claimed:
                return held, waiting, self._turn
            self._turn = int(time.monotonic() * 1000) % NEWEST
            return held + 1, waiting - 1, self._turn

        try:
            self._counts.change(self._name, decide)
        except TimeoutError:
            return False
        return claimed

    def report(self, held: int, waiting: int) -> None:
        """Tell the other workers how many places this one holds, and how many callers wait."""
        self._counts.put(self._name, held, waiting, self._turn if held or waiting else 0)

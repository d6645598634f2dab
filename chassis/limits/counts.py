"""Numbers that each worker reports, and their totals over all workers of the machine."""

import time
from collections.abc import Callable, Sequence
from struct import Struct

from chassis.limits.zone import Zone

WAYS = 16  # rows in a set
NAMES, NAME, CELL_BYTES = Struct(f"{WAYS}Q"), Struct("Q"), 4
NUMBER = 2**64 - 1
RETRY_SECONDS = 1.0

Row = tuple[int, ...]
"""A type: one worker's numbers for a name."""
Decide = Callable[[Row, Sequence[Row]], Row]
"""A type: a function of this worker's numbers and the other workers' that returns this worker's new ones."""


def size(sets: int, width: int, columns: int) -> int:
    """Return the bytes of a table for `columns` workers with `width` numbers for each name."""
    return sets * WAYS * (NAME.size + width * columns * CELL_BYTES)


class Counts:
    """A table of names; each worker has a column, which only it writes and which is cleared when it dies.

    A name's hash selects a set of 16 rows. If the set is full, the name with the lowest total makes room; its workers
    report it again with their next change.
    """

    def __init__(self, zone: Zone, start: int, sets: int, *, width: int, columns: int, column: int) -> None:
        self._zone, self._start, self._sets = zone, start, sets
        self._width, self._columns, self._column = width, columns, column
        self._stride = sets * WAYS * width
        first = start + sets * NAMES.size
        self._cells = memoryview(zone.memory)[first : first + self._stride * columns * CELL_BYTES].cast("I")
        self._due: dict[str, Row] = {}
        self._retry_at = 0.0

    def totals(self, name: str) -> Row:
        """Return the numbers of all workers for a name, added up."""
        row = self._find(name)
        return (0,) * self._width if row is None else self._totals(row)

    def put(self, name: str, *numbers: int) -> None:
        """Report this worker's numbers for a name; zeros end it. What a lock prevents is reported later."""
        self._due[name] = numbers
        if time.monotonic() < self._retry_at:
            return
        for due, values in list(self._due.items()):
            try:
                self.change(due, _always(values))
            except TimeoutError:
                self._retry_at = time.monotonic() + RETRY_SECONDS
                return
            del self._due[due]

    def change(self, name: str, decide: Decide) -> None:
        """Replace this worker's numbers for a name by `decide(mine, others)`, in one step.

        Raises TimeoutError while a stopped worker holds the lock.
        """
        with self._zone.locked(self._place(name)):
            row = self._find(name)
            rows = [(0,) * self._width] * self._columns if row is None else self._rows(row)
            numbers = decide(rows[self._column], [*rows[: self._column], *rows[self._column + 1 :]])
            if row is None and any(numbers):
                row = self._begin(name)
            if row is not None:
                self._write(row, self._column, numbers)
                if not any(self._totals(row)):
                    self._name(row, 0)

    def _place(self, name: str) -> int:
        return self._start + hash(name) % self._sets * NAMES.size

    def _find(self, name: str) -> int | None:
        place, number = self._place(name), hash(name) & NUMBER or 1
        kept = NAMES.unpack_from(self._zone.memory, place)
        return (place - self._start) // NAME.size + kept.index(number) if number in kept else None

    def _begin(self, name: str) -> int:
        """Return the row of a new name: a free one, or that of the name with the lowest total."""
        place = self._place(name)
        first = (place - self._start) // NAME.size
        kept = NAMES.unpack_from(self._zone.memory, place)
        where = kept.index(0) if 0 in kept else min(range(WAYS), key=lambda way: self._totals(first + way))
        for column in range(self._columns):
            self._write(first + where, column, (0,) * self._width)
        self._name(first + where, hash(name) & NUMBER or 1)
        return first + where

    def _name(self, row: int, number: int) -> None:
        NAME.pack_into(self._zone.memory, self._start + row * NAME.size, number)

    def _totals(self, row: int) -> Row:
        first = row * self._width
        return tuple(sum(self._cells[first + which :: self._stride]) for which in range(self._width))

    def _rows(self, row: int) -> list[Row]:
        firsts = range(row * self._width, len(self._cells), self._stride)
        return [tuple(self._cells[first : first + self._width]) for first in firsts]

    def _write(self, row: int, column: int, numbers: Row) -> None:
        first = column * self._stride + row * self._width
        for which, number in enumerate(numbers):
            self._cells[first + which] = number


def clear(memory: memoryview, start: int, sets: int, *, width: int, column: int) -> None:
    """Forget the numbers of a worker that has died; nobody else writes them, so no lock is needed."""
    column_bytes = sets * WAYS * width * CELL_BYTES
    first = start + sets * NAMES.size + column * column_bytes
    memory[first : first + column_bytes] = bytes(column_bytes)


def _always(numbers: Row) -> Decide:
    return lambda _mine, _others: numbers

"""What the workers of one machine count together, in memory that gunicorn's master makes before it forks them."""

from typing import NamedTuple

from chassis.limits import counts, shared
from chassis.limits.counts import Counts
from chassis.limits.places import Places
from chassis.limits.shared import SharedBuckets
from chassis.limits.zone import Zone, reserve

LAYOUT = 1  # change it with the layout of the memory: a worker with other code counts by itself
SPARE_COLUMNS = 4
PER_ADDRESS, OF_CALLS = 2, 3  # numbers: present and waiting sessions; held places, waiting callers, the last turn

Ticket = tuple[int, ...]
"""A type: the layout, the memory's descriptor, the number of keys, the number of columns, and the worker's column."""


class Plan(NamedTuple):
    """Where each table begins; sizes are in sets of 16."""

    bucket_sets: int
    name_sets: int
    columns: int

    @classmethod
    def of(cls, keys: int, columns: int) -> "Plan":
        """Return the plan for so many keys: two buckets each, and room so that sets are seldom full."""
        return cls(-(-keys * 4 // shared.WAYS), -(-keys * 2 // counts.WAYS), columns)

    @property
    def pace(self) -> int:
        """Where the bucket of the outside API begins; the buckets of requests begin at 0."""
        return self.bucket_sets * shared.SET_BYTES

    @property
    def sessions(self) -> int:
        """Where the counts of sessions begin."""
        return self.pace + shared.SET_BYTES

    @property
    def calls(self) -> int:
        """Where the counts of calls to the outside API begin."""
        return self.sessions + counts.size(self.name_sets, PER_ADDRESS, self.columns)

    @property
    def size(self) -> int:
        """The bytes of all tables."""
        return self.calls + counts.size(1, OF_CALLS, self.columns)


class Master:
    """The master's side: it makes the memory, gives each worker a column, and clears it when the worker has died."""

    def __init__(self, keys: int, workers: int) -> None:
        self._keys, self._plan = keys, Plan.of(keys, 2 * workers + SPARE_COLUMNS)  # a reload has twice as many
        self._file = reserve(self._plan.size)
        self._memory = memoryview(Zone(self._file, self._plan.size).memory)
        self._workers: dict[int, int] = {}

    def admit(self, worker: int) -> Ticket | None:
        """Return the ticket of a new worker, known by its number, or None if there are too many workers."""
        free = set(range(self._plan.columns)) - set(self._workers.values())
        if not free:
            return None
        self._workers[worker] = column = min(free)
        return LAYOUT, self._file, self._keys, self._plan.columns, column

    def bury(self, worker: int) -> None:
        """Subtract what a dead worker had counted."""
        column = self._workers.pop(worker, None)
        if column is not None:
            sets = self._plan.name_sets
            counts.clear(self._memory, self._plan.sessions, sets, width=PER_ADDRESS, column=column)
            counts.clear(self._memory, self._plan.calls, 1, width=OF_CALLS, column=column)


class Machine:
    """A worker's side: the tables that it shares with the others."""

    def __init__(self, ticket: Ticket) -> None:
        _, file, keys, columns, column = ticket
        plan = Plan.of(keys, columns)
        zone, mine = Zone(file, plan.size), {"columns": columns, "column": column}
        self.buckets = SharedBuckets(zone, 0, plan.bucket_sets)
        self.pace = SharedBuckets(zone, plan.pace, 1)
        self.sessions = Counts(zone, plan.sessions, plan.name_sets, width=PER_ADDRESS, **mine)
        self.calls = Places(Counts(zone, plan.calls, 1, width=OF_CALLS, **mine), "calls")


_master: Master | None = None


def found(keys: int, workers: int) -> None:
    """Make the memory, in gunicorn's master; a reload keeps it."""
    global _master
    _master = Master(keys, workers)


def admit(worker: int) -> Ticket | None:
    """Return the ticket of a new worker, or None with a single worker or with too many."""
    return _master.admit(worker) if _master else None


def bury(worker: int) -> None:
    """Subtract what a dead worker had counted."""
    if _master:
        _master.bury(worker)


def join(ticket: Ticket | None) -> Machine | None:
    """Return what a worker counts with the others; None without a ticket, or with one of other code."""
    return Machine(ticket) if ticket and ticket[0] == LAYOUT else None

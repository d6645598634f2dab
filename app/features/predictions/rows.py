"""Collects a batch's rows while they are read: each is checked at once, and reading stops at the first error."""

from collections import Counter
from collections.abc import Sequence

from chassis.base import Turns
from chassis.errors import BadRequest

MAX_COLUMNS = 200
MAX_NAME_CHARACTERS = 200
MAX_VALUE_CHARACTERS = 100_000
MAX_ROW_CHARACTERS = 1_000_000  # so that reading a stored row does not block other threads
MAX_BATCH_CHARACTERS = 50_000_000  # of all stored rows, each with its column names
SHOWN_CHARACTERS = 60
Rows = list[dict[str, str]]


class Collector:
    """Collects rows with the same columns, and lets other threads run in between."""

    def __init__(self, names: Sequence[str], max_rows: int) -> None:
        """Check the names; raise BadRequest when one is missing, too long or repeated, or there are too many."""
        self.names, self.turns = check_names(names), Turns()
        self._max_rows, self._rows = max_rows, Rows()
        self._characters_of_names, self._characters = sum(map(len, names)), 0

    def add(self, values: Sequence[str], where: str, number: int) -> None:
        """Add a row, or raise BadRequest; `where` and `number` locate it ("Line", 3)."""
        if len(self._rows) >= self._max_rows:
            raise BadRequest(f"There are too many rows; at most {self._max_rows:,} are accepted.", code="too_many_rows")
        if len(values) != len(self.names):
            sentence = f"{where} {number} has {len(values)} fields, but the header has {len(self.names)}."
            raise BadRequest(sentence, code="csv_malformed")
        if max(map(len, values)) > MAX_VALUE_CHARACTERS:
            sentence = f"{where} {number} has a value longer than {MAX_VALUE_CHARACTERS:,} characters."
            raise BadRequest(sentence, code="csv_malformed")
        size = sum(map(len, values))
        if size > MAX_ROW_CHARACTERS:
            sentence = f"{where} {number} is longer than {MAX_ROW_CHARACTERS:,} characters."
            raise BadRequest(sentence, code="csv_malformed")
        self._characters += self._characters_of_names + size
        if self._characters > MAX_BATCH_CHARACTERS:
            sentence = f"The rows, each with its column names, have more than {MAX_BATCH_CHARACTERS:,} characters."
            raise BadRequest(sentence, code="rows_too_large")
        self._rows.append(dict(zip(self.names, values, strict=True)))
        self.turns.give()

    def rows(self) -> Rows:
        """Return all rows; raise BadRequest when there are none."""
        if not self._rows:
            raise no_rows()
        return self._rows


def stored_bytes(rows: Rows) -> int:
    """Return the size of rows in bytes, each with its column names; lets other threads run in between."""
    turns, names = Turns(), len("".join(rows[0]).encode(errors="surrogatepass")) if rows else 0
    size = 0
    for row in rows:
        size += names + len("".join(row.values()).encode(errors="surrogatepass"))
        turns.give()
    return size


def check_names(names: Sequence[str]) -> list[str]:
    """Return the columns' names; raise BadRequest with every problem when they cannot be used."""
    if len(names) > MAX_COLUMNS:
        raise too_many_columns()
    if not names:
        raise BadRequest("No column has a name: the first line must name every column.", code="csv_header")
    problems = []
    if blank := [str(number) for number, name in enumerate(names, start=1) if not name.strip()]:
        problems.append(f"Columns without a name: {listed(blank)}.")
    if long := [shown(name) for name in names if len(name) > MAX_NAME_CHARACTERS]:
        problems.append(f"Column names longer than {MAX_NAME_CHARACTERS} characters: {listed(long)}.")
    counted = Counter(map(str.strip, names))  # a CSV's reader strips them
    if twice := [shown(name) for name, times in counted.items() if name and times > 1]:
        problems.append(f"Duplicate column names: {listed(twice)}.")
    if problems:
        raise BadRequest(" ".join(problems), code="csv_header")
    return list(names)


def listed(items: Sequence[str], most: int = 10) -> str:
    """Return items joined for a sentence, limited to the first `most`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and more"
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def shown(name: str) -> str:
    """Return a name shortened for error messages."""
    return name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}…"


def too_many_columns() -> BadRequest:
    """Return the error for more columns than are accepted."""
    return BadRequest(f"There are more than {MAX_COLUMNS} columns.", code="csv_header")


def no_rows() -> BadRequest:
    """Return the error for input without rows."""
    return BadRequest("There are no rows: at least one is required below the header.", code="no_rows")

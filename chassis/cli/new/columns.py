"""The declaration of a table, `title:text count:int`: what each type is in a database, a model, and a form."""

from collections import Counter
from dataclasses import dataclass

from chassis.cli.new.names import check_column
from chassis.errors import BadRequest

MOST_COLUMNS = 50


@dataclass(frozen=True)
class Type:
    """A type of columns: SQLAlchemy's, the field of a model, the input of a form, and values for tests."""

    sql: str
    annotation: str
    field: str
    input: str
    values: tuple[str, str]  # as code
    line: str  # the first one in a line of a CSV, as code
    typed: str  # the first one, as a person types it into the input, as code


TYPES = {
    "text": Type(
        "Text", "Text", "Field(min_length=1, max_length=1_000)", "text", ('"first"', '"second"'), '"first"', '"first"'
    ),
    "int": Type("Integer", "int", "Field(ge=-MOST, le=MOST)", "number", ("1", "2"), '"1"', '"1"'),
    "float": Type("Float", "float", "", "number", ("1.5", "2.5"), '"1.5"', '"1.5"'),
    "bool": Type("Boolean", "bool", "", "checkbox", ("True", "False"), '"true"', ""),
    "date": Type("Date", "datetime.date", "", "date", ('"2026-01-31"', '"2026-02-28"'), '"2026-01-31"', '"2026-01-31"'),
    "time": Type(
        "Float",
        "Moment",
        "",
        "datetime-local",
        ('"2026-01-31T12:00:00.000Z"', '"2026-02-28T12:00:00.000Z"'),
        '"2026-01-31T12:00:00Z"',
        '"2026-01-31T12:00"',
    ),
    "json": Type("JSON", "Json", "", "json", ('{"a": [1, None]}', "[]"), '"[]"', '"[1, 2]"'),
}
"""`time` is a point in time, stored in seconds since 1970."""


@dataclass(frozen=True)
class Column:
    """A column of a new table."""

    name: str
    kind: str

    @property
    def type(self) -> Type:
        """Return the type that `kind` names."""
        return TYPES[self.kind]


def parsed(declaration: str) -> tuple[Column, ...]:
    """Return the columns of a declaration; raise BadRequest for one that cannot be read."""
    columns = tuple(_column(word) for word in declaration.replace(",", " ").split())
    twice = [name for name, count in Counter(column.name for column in columns).items() if count > 1]
    if twice:
        raise BadRequest(f"No file was written. There are two columns {twice[0]!r}.")
    if not 0 < len(columns) <= MOST_COLUMNS:
        raise BadRequest(
            f"No file was written. A table has 1 to {MOST_COLUMNS} columns of its own, not {len(columns)}."
        )
    return columns


def _column(word: str) -> Column:
    name, _, kind = word.partition(":")
    if kind not in TYPES:
        raise BadRequest(f"No file was written. {word!r} is no NAME:TYPE; types: {', '.join(TYPES)}.")
    check_column(name)
    return Column(name, kind)

"""The requests and responses of the example's HTTP interface."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

from app.features.predictions.rows import MAX_COLUMNS
from chassis.jobs import State
from chassis.realtime import Event
from chassis.web import Page, Text

Value = Text | int | float | bool | None
RowStatus = Literal["pending", "succeeded", "failed"]
MOST = 2**31 - 1  # the maximum of an integer column


class NewBatch(BaseModel):
    """What a batch is made of."""

    model_config = ConfigDict(allow_inf_nan=False)

    name: Text = Field("", max_length=200, examples=["two"])
    prompt: Text = Field(
        min_length=1,
        max_length=20_000,
        description="A column name in braces is replaced by the row's value.",
        examples=["Is {species} harmful?"],
    )


class NewBatchOfRows(NewBatch):
    """A batch whose rows come along as JSON; json_rows.py reads it."""

    rows: list[Annotated[dict[Text, Value], Field(min_length=1, max_length=MAX_COLUMNS)]] = Field(
        min_length=1,
        description="All rows have the same columns; numbers and booleans are kept as written.",
        examples=[[{"species": "Vibrio cholerae"}]],
    )


class NewBatchOfLines(NewBatch):
    """A batch of pasted lines, each a row with the one column `text`."""

    lines: Text = Field(min_length=1, description="One row per line, in a single column named text.")


class NewBatchForm(NewBatch):
    """A batch from a file or from pasted lines; one of the two is needed."""

    file: bytes = Field(b"", description="A CSV with a header line, in UTF-8 or UTF-16.")
    lines: Text = Field("", description="One row per line, in a single column named text.")


class BeginningOfFile(BaseModel):
    """The beginning of a CSV file, or all of it."""

    file: bytes = Field(
        description="The whole file, or at least its first two lines.",
        examples=["@app/features/predictions/species.csv"],
    )


class FirstRow(BaseModel):
    """The first row, by the names of its columns."""

    row: dict[str, str]


class Requeue(BaseModel):
    """How to run a batch again."""

    failed: bool = Field(False, description="Also retry the failed rows.")


class Rename(BaseModel):
    """A batch's new name."""

    name: Text = Field(min_length=1, max_length=200)


class RowQuery(BaseModel):
    """Which rows."""

    offset: int = Field(0, ge=0, le=MOST, description="Start at this row of the input.")
    after: int | None = Field(
        None, ge=0, le=MOST, description="Return the rows that finished after this finish_no instead."
    )
    limit: int = Field(200, ge=1, le=500, description="Maximum number of rows to return.")
    failed: bool = Field(False, description="Return failed rows only; offset then counts among these.")
    search: Text = Field(
        "", max_length=100, description="Return rows with this text in the input, answer or error only."
    )


class AcceptedBatch(BaseModel):
    """The batch is stored, and its job waits."""

    id: str
    job_id: str


class BatchResponse(BaseModel):
    """A batch."""

    id: str
    name: str
    prompt: str
    model: str
    columns: list[str]
    total: int
    done: int = Field(description="Finished rows, including failed ones.")
    failed: int
    finish_seq: int = Field(description="The highest finish_no so far.")
    job_id: str
    status: State
    message: str
    demo: bool = Field(description="Whether the built-in demo answers instead of a language model.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None


class BatchNow(BatchResponse):
    """A batch, and what it does now."""

    asked: list[int] = Field(description="Positions of the rows whose calls are on their way.")


class BatchPage(Page[BatchResponse]):
    """A page of batches, newest first."""


class ResultResponse(BaseModel):
    """A row with its answer."""

    input: dict[str, str]
    output: str | None
    status: RowStatus
    error: str | None
    model: str | None


class RowResponse(ResultResponse):
    """A row with its answer and its place."""

    position: int
    cached: bool
    finish_no: int | None = Field(description="The row's place in the order in which rows finished.")


class NewRows(Event):
    """Rows of a batch that have finished, by their `finish_no`: all after `after` up to `upto`."""

    id: str
    job_id: str
    done: int
    failed: int
    total: int
    after: int
    upto: int
    rows: list[RowResponse]
    asked: list[int]


class RowsResponse(BaseModel):
    """Some of a batch's rows."""

    total: int = Field(description="Number of rows in the batch.")
    items: list[RowResponse]


class ResultsResponse(RootModel[list[ResultResponse]]):
    """Every row in the input's order."""


class ConfigResponse(BaseModel):
    """What answers, and how much is accepted."""

    demo: bool
    model: str
    ready: bool
    reason: str | None
    max_rows: int
    rows_per_second: float = Field(description="How many calls may start in a second.")
    input_price: float = Field(description="Price of a million tokens of prompts; 0 if the service has no prices.")
    output_price: float = Field(description="Price of a million tokens of answers.")
    currency: str

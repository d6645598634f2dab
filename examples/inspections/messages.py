"""The requests, responses and events of inspections."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from chassis.jobs import State
from chassis.realtime import Event
from chassis.web import Page, Paging, Text

Verdict = Literal["ok", "unsure", "defect"]
Shown = Literal["ok", "unsure", "defect", "failed", "pending", "skipped", "corrected"]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]  # of an event, which is checked as it is sent


class Named(BaseModel):
    """The fields of the form beside its images."""

    name: Text = Field("", max_length=200)


class NewInspection(Named):
    """A form with images."""

    files: list[bytes] = Field(min_length=1, description="JPEG, PNG or WebP images.", examples=[["@part.jpg"]])


class InspectionResponse(BaseModel):
    """An inspection: images that came together."""

    id: str
    job_id: str
    name: str
    source: Literal["upload", "camera", "socket"]
    total: int
    done: int = Field(description="Images with a verdict, and failed ones.")
    status: State
    message: str
    created_at: AwareDatetime


class InspectionPage(Page[InspectionResponse]):
    """A page of inspections, newest first."""


class ImageResponse(Event):
    """An image with its verdict."""

    id: str
    inspection_id: str
    position: int
    name: str
    sha256: str
    status: Literal["pending", "done", "failed", "skipped"] = Field(description="Skipped: its job ended before.")
    verdict: Verdict | None
    score: float | None = Field(description="How sure the classifier is, from 0 to 1.")
    detail: str | None = Field(description="The reason of the verdict, or why there is none.")
    classifier: str | None
    cached: bool = Field(description="Whether the verdict is that of an earlier image with the same content.")
    created_at: Time
    finished_at: Time | None
    corrected_to: Verdict | None = Field(description="The verdict of a person, which counts instead.")
    corrected_by: str | None
    corrected_at: Time | None
    note: str | None


class ImagePage(Page[ImageResponse]):
    """A page of images, newest first."""

    counts: dict[Shown, int] = Field(description="How many there are of each.")


class ImageQuery(Paging):
    """Which images."""

    inspection: Text | None = Field(None, max_length=32, description="Only those of one inspection.")
    verdict: Shown | None = Field(None, description="Only those with this verdict or state; corrections count.")


class Correction(BaseModel):
    """The verdict of a person."""

    verdict: Verdict | None = Field(description="Null withdraws an earlier correction.")
    note: Text = Field("", max_length=1_000)


class Changed(Event):
    """An inspection was added, cancelled, continued, or deleted."""

    id: str
    change: Literal["created", "changed", "deleted"]

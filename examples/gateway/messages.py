"""The requests and responses of the registry and the log."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from chassis.realtime import Event
from chassis.web import Page, Text

Name = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["gpu-1"])]
Url = Annotated[Text, Field(max_length=2_000, examples=["http://10.0.0.5:8000/v1"])]
Model = Annotated[Text, Field(min_length=1, max_length=200)]
Models = Annotated[list[Model], Field(max_length=200)]
Weight = Annotated[int, Field(ge=1, le=1_000, description="Its share of the requests, compared with the others.")]
Most = Annotated[int, Field(ge=1, le=10_000, description="Maximum requests at once, shared by the workers.")]
Pace = Annotated[float, Field(ge=0, le=10_000, description="Maximum requests per second; 0 means no limit.")]
Key = Annotated[Text, Field(max_length=1_000, pattern=r"^[\x21-\x7e]*$", description="Sent to this backend alone.")]


class Backend(BaseModel):
    """What is told of a backend, and by it."""

    name: Name
    base_url: Url = Field(description="Its address with the path before `/chat/completions`.")
    models: Models = Field([], description="Its models; without any, those that it lists itself.")
    weight: Weight = 1
    max_concurrency: Most = 256
    per_second: Pace = 0
    enabled: bool = True


class NewBackend(Backend):
    """A backend."""

    key: Key = ""


class BackendChange(BaseModel):
    """Other values; those that are left out stay. A key is forgotten when the address becomes another host's."""

    base_url: Url | None = None
    models: Models | None = None
    weight: Weight | None = None
    max_concurrency: Most | None = None
    per_second: Pace | None = None
    key: Key | None = None
    enabled: bool | None = None


class BackendResponse(Backend):
    """A backend, without its key."""

    id: str
    has_key: bool
    source: Literal["api", "setting", "self"]
    lease_until: AwareDatetime | None


class Backends(BaseModel):
    """All backends, by name."""

    items: list[BackendResponse]


class Figures(BaseModel):
    """The figures of a backend over the last minutes, of all workers together."""

    id: str
    name: str
    models: list[str]
    enabled: bool
    state: Literal["closed", "open", "half open"]
    healthy: bool
    in_flight: int
    requests: int
    success_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    tokens_per_second: float
    checked_at: AwareDatetime | None
    check_detail: str


class Stats(Event):
    """The figures of all backends, and the requests that wait for one in this worker."""

    window_seconds: int
    waiting: int
    backends: list[Figures]


class CallResponse(BaseModel):
    """A call in the log."""

    id: str
    at: AwareDatetime
    path: str
    model: str
    backend: str
    status: int
    outcome: str
    attempts: int
    seconds: float
    input_tokens: int
    output_tokens: int
    content: dict[str, Any] | None


class Calls(Page[CallResponse]):
    """A page of the log, newest first."""

"""The requests and responses of the registry and the log."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from chassis.realtime import Event
from chassis.web import Page, Text

Name = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["gpu-1"])]
Url = Annotated[Text, Field(max_length=2_000, examples=["http://10.0.0.5:8000/v1"])]
Models = Annotated[list[Annotated[Text, Field(min_length=1, max_length=200)]], Field(max_length=200)]
State = Literal["closed", "open", "half open"]


class Limits(BaseModel):
    """What can be set for a backend beside its address."""

    models: Models = Field([], description="Its models; without any, those that it lists itself.")
    weight: int = Field(1, ge=1, le=1_000, description="Its share of the requests, compared with the others.")
    max_concurrency: int = Field(256, ge=1, le=10_000, description="Maximum requests at once, shared by the workers.")
    per_second: float = Field(0, ge=0, le=10_000, description="Maximum requests per second; 0 means no limit.")
    key: Text = Field("", max_length=1_000, pattern=r"^[\x21-\x7e]*$", description="Sent to this backend alone.")


class NewBackend(Limits):
    """A backend."""

    name: Name
    base_url: Url = Field(description="Its address with the path before `/chat/completions`.")
    enabled: bool = True


class Registration(Limits):
    """A backend that registers itself."""

    name: Name
    base_url: Url


class BackendChange(BaseModel):
    """Other values; those that are left out stay. A key is forgotten when the address becomes another host's."""

    base_url: Url | None = None
    models: Models | None = None
    weight: int | None = Field(None, ge=1, le=1_000)
    max_concurrency: int | None = Field(None, ge=1, le=10_000)
    per_second: float | None = Field(None, ge=0, le=10_000)
    key: Text | None = Field(None, max_length=1_000, pattern=r"^[\x21-\x7e]*$")
    enabled: bool | None = None


class BackendResponse(BaseModel):
    """A backend, without its key."""

    id: str
    name: str
    base_url: str
    models: list[str]
    weight: int
    max_concurrency: int
    per_second: float
    has_key: bool
    enabled: bool
    source: Literal["api", "setting", "self"]
    lease_until: AwareDatetime | None
    open: bool = Field(description="Its circuit breaker is open: it gets no calls.")
    failed_checks: int
    checked_at: AwareDatetime | None
    check_detail: str


class Backends(BaseModel):
    """All backends, by name."""

    items: list[BackendResponse]


class Figures(BaseModel):
    """The figures of a backend over the last minutes, of all workers together."""

    id: str
    name: str
    models: list[str]
    enabled: bool
    state: State
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
    workers: dict[str, int] = Field(description="Calls in flight by worker.")
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
    streamed: bool
    attempts: int
    seconds: float
    first_seconds: float | None
    input_tokens: int
    output_tokens: int
    content: dict[str, Any] | None


class Calls(Page[CallResponse]):
    """A page of the log, newest first."""


class Prompt(BaseModel):
    """A request in OpenAI's form; all other parameters are passed on as they are."""

    model: Annotated[Text, Field(min_length=1, max_length=200)]
    stream: bool | None = None

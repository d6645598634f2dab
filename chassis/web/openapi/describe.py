"""A route's declaration of its API; the rest is read from its rule, its method and its scope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel

V = TypeVar("V", bound=Callable[..., Any])
DESCRIPTION = "api_description"
BODILESS = (204, 205, 304)  # RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5
JSON = "application/json"
COMPONENTS = "#/components/schemas/"


class QuotaDetails(BaseModel):
    """Which quota would be exceeded, and what is left of it."""

    quota: str
    limit: int
    used: int
    left: int
    needed: int


class BudgetDetails(BaseModel):
    """Which monthly budget has no room, in micro-units of the currency, and when it renews."""

    budget: Literal["key", "account"]
    limit: int
    spent: int
    left: int
    needed: int
    currency: str
    renews_at: AwareDatetime


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str
    message: str
    request_id: str
    details: QuotaDetails | BudgetDetails | None = None


class ErrorResponse(BaseModel):
    """The body of every error: a code for programs, a sentence for people, and the number to ask for help with."""

    error: ErrorDetail


@dataclass(frozen=True)
class Answer:
    """An answer of a route: a model as JSON, or, without a model, content of the type `media`; "" is no content.

    `text` says when it comes; `headers` describes its headers by name."""

    model: type[BaseModel] | None = None
    text: str = ""
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)  # name -> description


@dataclass(frozen=True)
class Description:
    """A route's declaration; `body` has a model for each media type that it accepts."""

    answers: Mapping[int, Answer]
    summary: str = ""
    query: type[BaseModel] | None = None
    body: Mapping[str, type[BaseModel]] = field(default_factory=dict)


def describe(
    *,
    answers: Mapping[int, type[BaseModel] | Answer | str],
    summary: str = "",
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | Mapping[str, type[BaseModel]] | None = None,
) -> Callable[[V], V]:
    """Describe what a view takes and what it answers, for `/api/openapi.json`.

    An answer is a model, an `Answer`, or the sentence that says when an error, or an answer without a body, occurs. The
    errors of every route (a bad request, no key, too many requests and so on) need not be listed. The summary is the
    docstring's first line.
    """
    bodies = body if isinstance(body, Mapping) else {JSON: body} if body else {}

    def decorate(view: V) -> V:
        line = summary or (view.__doc__ or "").strip().partition("\n")[0]
        own = {status: _answer(status, given) for status, given in answers.items()}
        setattr(view, DESCRIPTION, Description(own, line, query, bodies))
        return view

    return decorate


def described(view: object) -> Description | None:
    """Return a view's description."""
    return getattr(view, DESCRIPTION, None)


def _answer(status: int, given: type[BaseModel] | Answer | str) -> Answer:
    if status in BODILESS:
        if not isinstance(given, Answer | str):
            raise ValueError(f"An answer with the status {status} has no body: describe it by a sentence.")
        return replace(given, model=None, media="") if isinstance(given, Answer) else Answer(text=given, media="")
    if isinstance(given, Answer):
        return given
    return Answer(ErrorResponse, given) if isinstance(given, str) else Answer(given)

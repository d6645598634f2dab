"""Validates a request's input with a pydantic model; every mistake is a 400 that names the field."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    JsonValue,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import from_json
from werkzeug.datastructures import FileStorage, MultiDict

from chassis.base.texts import excerpt
from chassis.errors import BadRequest, UnsupportedMediaType, first_mistake
from chassis.security.bodies import limit_body

M = TypeVar("M", bound=BaseModel)
BODY = "invalid_body"
"""The code of errors about the body of a request."""
PARAMETER = "invalid_parameter"
SHOWN_CHARACTERS = 50  # of a field's name
MAX_MODEL_BYTES = 65_536  # of JSON that is checked whole: each of a million mistakes in it would become an object


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a null character cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""A type for fields of models: a string without null characters, which databases cannot hold."""


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    elif isinstance(value, list | dict):
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            _storable_json(inner)
    return value


def _parsed(value: Any, info: ValidationInfo) -> Any:
    return from_json(value) if str(info.mode) == "string" else value


Json = Annotated[JsonValue, BeforeValidator(_parsed), AfterValidator(_storable_json)]
"""A type for fields of models: a JSON value that databases can hold; its text, in forms and lines of text."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the year must be from 1 to 9999 in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A type for fields of models: a time with its offset from UTC, as a `datetime` in UTC."""


def json_body(model: type[M]) -> M:
    """Return the JSON body as the model; an empty body counts as `{}`.

    Raises BadRequest, UnsupportedMediaType when the content type is not JSON, and PayloadTooLarge above 64 kB. The
    parser is pydantic's, since it refuses half surrogates and deep nesting.
    """
    data = _json_data(MAX_MODEL_BYTES)
    return _checked(lambda: model.model_validate_json(data or b"{}", strict=True), BODY)


def json_text() -> str:
    """Return the text of a JSON body, for a caller that parses it in pieces.

    Raises BadRequest when it is not UTF-8, UnsupportedMediaType when the content type is not JSON.
    """
    try:
        return _json_data().decode()
    except UnicodeDecodeError:
        raise BadRequest("Invalid JSON: it is not in UTF-8.", code=BODY) from None


def checked_fields(model: type[M], fields: dict[str, Any]) -> M:
    """Return fields that a caller parsed by itself as the model; raise BadRequest."""
    return _checked(lambda: model.model_validate(fields, strict=True), BODY)


def checked_strings(model: type[M], fields: dict[str, str]) -> M:
    """Return the fields of a line of text, such as one of a CSV file, as the model; raise BadRequest."""
    return _checked(lambda: model.model_validate_strings(fields), BODY)


def _json_data(most: int | None = None) -> bytes:
    if most is not None:
        limit_body(min(most, request.max_content_length or most))
    data = request.get_data(cache=False)
    if data and not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json.")
    return data


def form_body(model: type[M]) -> M:
    """Return the form's fields as the model; raise BadRequest."""
    return _checked(lambda: model.model_validate_strings(_single(request.form, model, BODY)), BODY)


def uploaded_file(name: str) -> FileStorage | None:
    """Return the form's file of that name, or None; raise BadRequest when there are several, or others beside it."""
    given = [(field, file) for field, file in request.files.items(multi=True) if file.filename]
    if other := next((field for field, _ in given if field != name), None):
        raise BadRequest(f"{excerpt(other, SHOWN_CHARACTERS)} has another file: send one, as {name}.", code=BODY)
    found = [file for _, file in given]
    if len(found) > 1:
        raise BadRequest(f"{name} was given {len(found)} times: send one file.", code=BODY)
    return found[0] if found else None


def query_parameters(model: type[M]) -> M:
    """Return the URL's parameters as the model; unknown ones are ignored. Raises BadRequest."""
    return _checked(lambda: model.model_validate_strings(_single(request.args, model, PARAMETER)), PARAMETER)


def _single(given: MultiDict[str, str], model: type[M], code: str) -> dict[str, str]:
    """Return the values by name; a repeated name is refused, since each reader would use another of its values."""
    twice = next((name for name in model.model_fields if len(given.getlist(name)) > 1), None)
    if twice is not None:
        raise BadRequest(f"{twice} was given more than once.", code=code)
    return given.to_dict()


def _checked(parse: Callable[[], M], code: str) -> M:
    whole = "The body" if code == BODY else "The query"
    try:
        return parse()
    except ValidationError as error:
        raise BadRequest(f"{first_mistake(error, whole)}.", code=code) from None

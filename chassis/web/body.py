"""What a request carries, checked against a pydantic model; every mistake is a 400 that says where."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from flask import request
from pydantic import AfterValidator, BaseModel, ValidationError
from werkzeug.datastructures import FileStorage, MultiDict

from chassis.errors import BadRequest, UnsupportedMediaType, first_mistake
from chassis.security.bodies import limit_body

M = TypeVar("M", bound=BaseModel)
BODY, PARAMETER = "invalid_body", "invalid_parameter"
MAX_MODEL_BYTES = 65_536  # of JSON that is checked whole: each of a million mistakes in it would become an object


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a null character cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""A string that every database can hold."""


def json_body(model: type[M]) -> M:
    """Return the JSON body as the model; an empty one counts as `{}`, and what is not said to be JSON is refused.

    At most MAX_MODEL_BYTES are taken. pydantic's own parser is used: unlike Python's it refuses half surrogates and
    nesting without end.
    """
    data = _json_data(MAX_MODEL_BYTES)
    return _checked(lambda: model.model_validate_json(data or b"{}", strict=True), BODY)


def json_text() -> str:
    """Return the JSON body's text, for those who read it in pieces; what is not said to be JSON is refused."""
    try:
        return _json_data().decode()
    except UnicodeDecodeError:
        raise BadRequest("Invalid JSON: it is not in UTF-8.", code=BODY) from None


def checked_fields(model: type[M], fields: dict[str, Any]) -> M:
    """Return fields that were read from a body in pieces as the model."""
    return _checked(lambda: model.model_validate(fields, strict=True), BODY)


def _json_data(most: int | None = None) -> bytes:
    if most is not None:
        limit_body(min(most, request.max_content_length or most))
    data = request.get_data(cache=False)
    if data and not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json.")
    return data


def form_body(model: type[M]) -> M:
    """Return the form's fields as the model."""
    return _checked(lambda: model.model_validate_strings(_single(request.form, model, BODY)), BODY)


def uploaded_file(name: str) -> FileStorage | None:
    """Return the form's file of that name, if one was chosen; raise BadRequest when there are several."""
    found = [file for file in request.files.getlist(name) if file.filename]
    if len(found) > 1:
        raise BadRequest(f"{name} was given {len(found)} times: send one file.", code=BODY)
    return found[0] if found else None


def query_parameters(model: type[M]) -> M:
    """Return the URL's parameters as the model; unknown ones are left alone."""
    return _checked(lambda: model.model_validate_strings(_single(request.args, model, PARAMETER)), PARAMETER)


def _single(given: MultiDict[str, str], model: type[M], code: str) -> dict[str, str]:
    """Return the values by name; one that is given twice has no meaning, and each reader would take another."""
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

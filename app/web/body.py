"""What a request carries, checked against a pydantic model; every mistake is a 400 that says where."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from flask import Flask, current_app, request
from pydantic import AfterValidator, BaseModel, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.wsgi import LimitedStream

from app.concurrency import Turns
from app.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType, first_mistake

M = TypeVar("M", bound=BaseModel)
BODY, PARAMETER = "invalid_body", "invalid_parameter"
MAX_MODEL_BYTES = 65_536  # of JSON that is checked whole: each of a million mistakes in it would become an object


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a null character cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""A string that every database can hold."""


def install(app: Flask) -> None:
    """Refuse a body that is too large before anything is done for it."""
    app.before_request(_limit)


def _limit() -> None:
    environ = request.environ
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return  # there is none
    if request.content_length is not None:  # else werkzeug takes a body that ends too early for a whole one
        environ.pop("wsgi.input_terminated", None)
    environ["wsgi.input"] = _InTurns(environ["wsgi.input"])
    most = _most_of_json() if request.is_json else request.max_content_length
    if most is not None:
        limit_body(most)


class _InTurns:
    """A body whose reader lets others run: who parses 20 MB that have arrived already never waits for more."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._turns = stream, Turns()

    def read(self, size: int = -1) -> bytes:
        self._turns.give()
        return self._stream.read(size)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name == "readinto":  # werkzeug would take it instead of `read`
            raise AttributeError(name)
        return getattr(self._stream, name)


def limit_body(most: int) -> None:
    """Refuse this request's body when it has more bytes; nothing is read past them.

    Raises PayloadTooLarge at once when the length is known. Of chunks werkzeug takes what came up to the limit for the
    whole, so they are read up to one byte more, where they are refused.
    """
    length = request.content_length
    if length is None and "HTTP_TRANSFER_ENCODING" in request.environ:
        request.environ["wsgi.input"] = LimitedStream(request.environ["wsgi.input"], most + 1, is_max=True)
        request.max_content_length = most + 2
        return
    request.max_content_length = most
    if (length or 0) > most:
        size = f"{length:,} bytes, and at most {most:,} are taken"
        raise PayloadTooLarge(f"What you sent is larger than this service accepts: {size}.")


def _most_of_json() -> int:
    return int(current_app.extensions["settings"].max_json_bytes)


def json_body(model: type[M]) -> M:
    """Return the JSON body as the model; an empty one counts as `{}`, and what is not said to be JSON is refused.

    At most MAX_MODEL_BYTES are taken. pydantic's own parser is used: unlike Python's it refuses half surrogates and
    nesting without end.
    """
    data = _json_data(min(MAX_MODEL_BYTES, _most_of_json()))
    return _checked(lambda: model.model_validate_json(data or b"{}", strict=True), BODY)


def json_text() -> str:
    """Return the JSON body's text, for those who read it in pieces; what is not said to be JSON is refused."""
    try:
        return _json_data(_most_of_json()).decode()
    except UnicodeDecodeError:
        raise BadRequest("Invalid JSON: it is not in UTF-8.", code=BODY) from None


def checked_fields(model: type[M], fields: dict[str, Any]) -> M:
    """Return fields that were read from a body in pieces as the model."""
    return _checked(lambda: model.model_validate(fields, strict=True), BODY)


def _json_data(most: int) -> bytes:
    limit_body(most)
    data = request.get_data(cache=False)
    if data and not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json.")
    return data


def form_body(model: type[M]) -> M:
    """Return the form's fields as the model."""
    return _checked(lambda: model.model_validate_strings(_single(request.form, model, BODY)), BODY)


def query_parameters(model: type[M]) -> M:
    """Return the URL's parameters as the model; unknown ones are left alone."""
    return _checked(lambda: model.model_validate_strings(_single(request.args, model, PARAMETER)), PARAMETER)


def _single(given: MultiDict[str, str], model: type[M], code: str) -> dict[str, str]:
    """Return the values by name; one that is given twice has no meaning, and each reader would take another."""
    twice = next((name for name in model.model_fields if len(given.getlist(name)) > 1), None)
    if twice is not None:
        raise BadRequest(f"{twice} is given more than once.", code=code)
    return given.to_dict()


def _checked(parse: Callable[[], M], code: str) -> M:
    whole = "The body" if code == BODY else "The query"
    try:
        return parse()
    except ValidationError as error:
        raise BadRequest(f"{first_mistake(error, whole)}.", code=code) from None

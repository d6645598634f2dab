"""Limits of the size of a body and of the fields of a form; a route can raise them.

The limits are checked before the body is read, including by the CSRF check. A Content-Length above the limit is
refused without reading; chunked bodies are refused at the first byte past the limit.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import IO, Any, TypeVar

import flask
from flask import Flask, current_app, request
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import LimitedStream

from chassis.base.concurrency import Turns
from chassis.errors import PayloadTooLarge, UnsupportedMediaType
from chassis.server.patches import for_werkzeug
from chassis.wiring import current_settings

__all__ = ["FILES", "FORM", "FORMS", "JSON", "takes"]

F = TypeVar("F", bound=Callable[..., Any])
JSON = "application/json"
FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
FORMS = (FILES, FORM)
LARGER = "larger_bodies"
ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
DIGITS = "0123456789abcdefABCDEF"
BYTES = {f"%{one}{two}".encode(): bytes.fromhex(one + two) for one, two in product(DIGITS, repeat=2)}
MAX_FIELDS = 100
PIECE_BYTES = 32_768  # of a field, before other threads get a turn
PART_HEAD_BYTES = 200  # for each part that a form may have, shared by all of its parts


@dataclass(frozen=True)
class Larger:
    """A route's larger limits: bytes by content type, or the name of the setting that holds them; fields; files."""

    sizes: dict[str, int | str] = field(default_factory=dict)
    fields: int = MAX_FIELDS
    files: str = ""


USUAL = Larger()


def takes(sizes: dict[str, int | str], fields: int = MAX_FIELDS, *, files: str = "") -> Callable[[F], F]:
    """Allow a view larger bodies than MAX_BODY_BYTES, as in `takes({bodies.FILES: "max_upload_bytes"})`.

    A text names a setting. `fields` is how many fields a form may have; `files` names the setting for how many files
    besides. Goes below `@app.post` and the like.
    """

    def decorate(view: F) -> F:
        setattr(view, LARGER, Larger(sizes, fields, files))
        return view

    return decorate


def install(app: Flask) -> None:
    """Check the body of every request; install it before any hook that reads bodies."""
    app.before_request(_limit)


def _limit() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # a proxy access takes 1 us
    environ = asked.environ
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return  # there is no body
    if asked.content_length is not None:  # otherwise werkzeug accepts a truncated body as complete
        environ.pop("wsgi.input_terminated", None)
    environ["wsgi.input"] = _InTurns(environ["wsgi.input"])
    larger: Larger = getattr(current_app.view_functions.get(asked.endpoint), LARGER, USUAL)
    asked.max_form_parts = larger.fields + (getattr(current_settings(), larger.files) if larger.files else 0)
    limit_body(_most(larger.sizes, JSON if asked.is_json else asked.mimetype))


class _InTurns:
    """A body stream that yields to other threads: parsing 20 MB that have already arrived would never wait."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._turns = stream, Turns()

    def read(self, size: int = -1) -> bytes:
        self._turns.give()
        return self._stream.read(size)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name == "readinto":  # werkzeug would use it instead of `read`
            raise AttributeError(name)
        return getattr(self._stream, name)


def _most(sizes: dict[str, int | str], kind: str) -> int:
    most = sizes.get(kind, "max_body_bytes")
    return most if isinstance(most, int) else int(getattr(current_settings(), most))


def limit_body(most: int) -> None:
    """Refuse this request's body when it is larger; nothing is read past the limit.

    Raises PayloadTooLarge at once when the length is known. werkzeug would accept a chunked body truncated at the limit
    as complete, so the stream allows one byte more, at which the body is refused.
    """
    length = request.content_length
    if length is None and "HTTP_TRANSFER_ENCODING" in request.environ:
        request.environ["wsgi.input"] = LimitedStream(request.environ["wsgi.input"], most + 1, is_max=True)
        request.max_content_length = most + 2
        return
    request.max_content_length = most
    if (length or 0) > most:
        size = f"{length:,} bytes; the limit is {most:,}"
        raise PayloadTooLarge(f"The request is larger than this service accepts: {size}.")


class FormParser(FormDataParser):
    """Parses URL-encoded forms in a fraction of the standard library's time, and counts their fields first."""

    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Return (stream, fields, files); raise PayloadTooLarge when there are too many fields."""
        if mimetype != FORM:
            return super().parse(stream, mimetype, content_length, options)
        pairs = stream.read().split(b"&", self.max_form_parts or -1)
        if self.max_form_parts and len(pairs) > self.max_form_parts:
            raise PayloadTooLarge(f"A form may have at most {self.max_form_parts:,} fields here.")
        return stream, self.cls(_field(pair) for pair in pairs if pair), self.cls()


def _field(pair: bytes) -> tuple[str, str]:
    name, _, value = pair.partition(b"=")
    return _text(name), _text(value)


def _text(encoded: bytes) -> str:
    """Return the text of a name or a value; invalid UTF-8 is replaced, as in multipart forms."""
    plain = encoded.replace(b"+", b" ")
    return b"".join(_pieces(plain)).decode("utf-8", "replace")


def _pieces(plain: bytes) -> Iterator[bytes]:
    """Yield the unescaped bytes, and yield to other threads in between: half a megabyte of escapes takes 60 ms."""
    at, turns = 0, Turns()
    while at < len(plain):
        end = at + PIECE_BYTES
        cut = plain.rfind(b"%", end - 2, end)
        if cut >= 0 and ESCAPE.match(plain, cut):
            end = cut + 3
        yield ESCAPE.sub(lambda found: BYTES[found[0]], plain[at:end])
        at = end
        turns.give()


for_werkzeug.bound_heads_of_parts(  # 480 kB of them took 220 ms at once
    most=lambda parts: PART_HEAD_BYTES * (parts or MAX_FIELDS),
    refused=lambda: PayloadTooLarge("The names in this form are too long."),
)


class Request(flask.Request):
    """A request with limited forms, which reads no other content type as a form."""

    form_data_parser_class = FormParser

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether the body is a form; raises UnsupportedMediaType for others, which would look like an empty form."""
        if self.mimetype not in FORMS and (self.content_length or "HTTP_TRANSFER_ENCODING" in self.environ):
            raise UnsupportedMediaType(f"Send the fields as a form: {FORM} or {FILES}.")
        return super().want_form_data_parsed

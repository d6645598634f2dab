"""How large a body may be, and how many fields a form may have: little, unless a route says that it takes more.

This is checked before anything reads a body, the CSRF check included. A length in the head is refused without reading;
chunks are refused at the first byte past the limit.
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

F = TypeVar("F", bound=Callable[..., Any])
JSON = "application/json"
FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
FORMS = (FILES, FORM)
LARGER = "larger_bodies"
ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
DIGITS = "0123456789abcdefABCDEF"
BYTES = {f"%{one}{two}".encode(): bytes.fromhex(one + two) for one, two in product(DIGITS, repeat=2)}
MAX_FIELDS = 100
PIECE_BYTES = 32_768  # of a field, between two turns of others
PART_HEAD_BYTES = 200  # of each part that a form may have, shared by all of its parts


@dataclass(frozen=True)
class Larger:
    """What a route takes beyond the usual: bytes by content type, or the setting that says how many; and fields."""

    sizes: dict[str, int | str] = field(default_factory=dict)
    fields: int = MAX_FIELDS


USUAL = Larger()


def takes(sizes: dict[str, int | str], fields: int = MAX_FIELDS) -> Callable[[F], F]:
    """Let a view take larger bodies than MAX_BODY_BYTES, as in `takes({bodies.FILES: "max_upload_bytes"})`.

    Goes below `@app.get` and the like. `fields` is how many a form may have.
    """

    def decorate(view: F) -> F:
        setattr(view, LARGER, Larger(sizes, fields))
        return view

    return decorate


def install(app: Flask) -> None:
    """Check every request's body; goes before everything that reads one."""
    app.before_request(_limit)


def _limit() -> None:
    asked: Any = request._get_current_object()  # type: ignore[attr-defined]  # each look through a proxy takes 1 us
    environ = asked.environ
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return  # there is none
    if asked.content_length is not None:  # else werkzeug takes a body that ends too early for a whole one
        environ.pop("wsgi.input_terminated", None)
    environ["wsgi.input"] = _InTurns(environ["wsgi.input"])
    larger: Larger = getattr(current_app.view_functions.get(asked.endpoint), LARGER, USUAL)
    asked.max_form_parts = larger.fields
    limit_body(_most(larger.sizes, JSON if asked.is_json else asked.mimetype))


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


def _most(sizes: dict[str, int | str], kind: str) -> int:
    most = sizes.get(kind, "max_body_bytes")
    return most if isinstance(most, int) else int(getattr(current_settings(), most))


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
        size = f"{length:,} bytes; the limit is {most:,}"
        raise PayloadTooLarge(f"The request is larger than this service accepts: {size}.")


class FormParser(FormDataParser):
    """Reads URL-encoded forms in a fraction of the time of Python's own way, and counts their fields first."""

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
    """Return the text of a name or a value; what is not UTF-8 is replaced, as in the other kind of forms."""
    plain = encoded.replace(b"+", b" ")
    return b"".join(_pieces(plain)).decode("utf-8", "replace")


def _pieces(plain: bytes) -> Iterator[bytes]:
    """Yield the bytes without escapes, and let others run in between: half a megabyte of escapes takes 60 ms."""
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
    """A request whose forms are counted, and that takes nothing but a form for one."""

    form_data_parser_class = FormParser

    @property
    def want_form_data_parsed(self) -> bool:
        """Whether there is a form; raises UnsupportedMediaType for another body, which would pass for an empty form."""
        if self.mimetype not in FORMS and (self.content_length or "HTTP_TRANSFER_ENCODING" in self.environ):
            raise UnsupportedMediaType(f"Send the fields as a form: {FORM} or {FILES}.")
        return super().want_form_data_parsed

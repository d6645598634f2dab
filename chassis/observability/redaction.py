"""Takes secrets out of what is logged: by a value's name, by its shape, and the settings' own secrets anywhere."""

import json
import re
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from pydantic import SecretStr

from chassis.settings import Section, Settings
from chassis.wiring import Redaction

HIDDEN = "***"
SECRET_NAMES = re.compile(r"key|secret|token|password|authorization|cookie", re.IGNORECASE)
# No shape may take a backslash: in JSON it belongs to the quote behind it.
SECRET_SHAPES = re.compile(r"(bearer\s+)[^\s\"'\\,]+|(://)[^\s/?#\"'\\]+(@)", re.IGNORECASE)
# Nothing is given back (`*+`): a name of a thousand keys and no value would otherwise be read a thousand times.
SECRET_PARAMETERS = re.compile(
    rf"([?&](?:(?!{SECRET_NAMES.pattern})[\w.-])*+(?:{SECRET_NAMES.pattern})[\w.-]*+=)[^\s&#\"'\\]+", re.IGNORECASE
)
END_OF_AUTHORITY = re.compile(r"[/?#]")
OUR_KEYS = re.compile(r"(\b(?:ak|ln)_[0-9a-f]{8})_[A-Za-z0-9_-]{20,}")  # keys, and links that work once
MIN_SECRET_CHARACTERS = 6
MIN_PARAMETER_CHARACTERS = 16  # shorter ones in a URL's query are words like `require`
MAX_DEPTH = 6
Event = MutableMapping[str, Any]

_shapes: list[Redaction] = []


def configure(shapes: list[Redaction]) -> None:
    """Take over the list of further shapes, to which features add; lines are logged where no application is."""
    global _shapes
    _shapes = shapes


def redact_names(_logger: Any, _method: str, event: Event) -> Event:
    """Hide the values whose name says that they are secret, also inside of other values."""
    for name, value in event.items():
        if name != "event":
            event[name] = _redacted(name, value)
    return event


def redact_line(line: str, secrets: list[str]) -> str:
    """Return the finished line without the given secrets, bearer tokens, URLs' user info and secret parameters.

    The given ones first: one may look like a URL's user info and more, and would not be found after that was hidden.
    """
    for secret in secrets:
        if secret in line:
            line = line.replace(secret, HIDDEN)
    if "://" in line or "bearer" in line.lower():  # a tenth of the pattern's time
        line = SECRET_SHAPES.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}{found[3] or ''}", line)
    if "ak_" in line or "ln_" in line:
        line = OUR_KEYS.sub(rf"\1_{HIDDEN}", line)
    for shape in _shapes:
        if shape.prefix in line:
            line = shape.pattern.sub(f"{shape.prefix}{HIDDEN}", line)
    if "=" in line and ("?" in line or "&" in line):
        line = SECRET_PARAMETERS.sub(rf"\1{HIDDEN}", line)
    return line


def secret_values(settings: Settings) -> list[str]:
    """Return every secret of the settings and their sections as it may be written in a line, longest first."""
    found = {key.get_secret_value() for key in (*settings.client_keys, *settings.earlier_secret_keys)}
    sections: list[Section] = [settings, *settings._sections.values()]
    for section in sections:
        for name in type(section).model_fields:
            if isinstance(value := getattr(section, name), SecretStr):
                secret = value.get_secret_value()
                found |= _parts(secret) if name.endswith(("_url", "_dsn")) else {secret}
    written = {form for secret in found for form in _forms(secret)}
    return sorted((form for form in written if len(form) >= MIN_SECRET_CHARACTERS), key=len, reverse=True)


def _redacted(name: object, value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH or (isinstance(name, str) and is_secret_name(name)):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _redacted(key, inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        inside = [_redacted(None, inner, depth + 1) for inner in value]
        return inside if isinstance(value, list) else tuple(inside)
    return value


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Return whether the value of that name is nobody's business."""
    return SECRET_NAMES.search(name) is not None


def _parts(url: str) -> set[str]:
    """Return what is secret in a URL: its user info, password, query and long parameters."""
    _scheme, is_url, rest = url.partition("://")
    if not is_url:
        return {url}
    authority = END_OF_AUTHORITY.split(rest, maxsplit=1)[0].rpartition("@")[0]
    loose = rest.partition("@")[0] if "@" in rest else ""  # SQLAlchemy lets a password hold a slash
    query = rest.partition("?")[2]
    found = {authority, authority.partition(":")[2], loose.partition(":")[2], query}
    return found | {value for _, value in parse_qsl(query) if len(value) >= MIN_PARAMETER_CHARACTERS}


def _forms(secret: str) -> set[str]:
    """Return the secret as it is, percent-encoded and decoded, each quoted up to twice too: a repr in JSON."""
    plain = {secret, unquote(secret), quote(secret), quote(secret, safe=""), quote_plus(secret)}
    once = {quoted for form in plain for quoted in _quoted(form)}
    return plain | once | {quoted for form in once for quoted in _quoted(form)}


def _quoted(text: str) -> tuple[str, str, str]:
    """Return a text as JSON and Python quote it; Python escapes an apostrophe only beside a double quote."""
    return json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1], repr("'\"" + text)[4:-1]
